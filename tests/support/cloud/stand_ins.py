"""Stand-ins on real sockets for what a vendordata provider asks: OpenStack's services, and Vault.

They speak the services' real HTTP APIs, as far as providers use them, to the real client libraries.
Where real services can be run they are, in tests/lab; Vault is in neither Debian nor PyPI.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from lab.serving import Asked, Reply, json_reply, serving

ROOT = "s.the-token-of-tests"  # what Vault takes

# What networking-mlnx leaves in the binding of a port with SR-IOV.
SRIOV: dict[str, Any] = {
    "enable_sriov": True,
    "default_limited_pkeys": ["0x8001"],
    "physical_guids": ["248a07030090d0c1"],
    "virtual_guids": [["fa163e00000000a1", "fa163e00000000a2"]],
    "dynamic_pkey": "0x8002",
}

NOT_FOUND = Reply(404, b'{"error": {"message": "not found"}}')


@dataclass
class CloudStandIn:
    """Keystone, Nova, Neutron, Glance and Cinder at one address; answers can be changed at will.

    Attributes:
        status: what everything is answered with instead, unless it is 200.
        asked: how often which path was asked for.
    """

    projects: dict[str, Any] = field(default_factory=dict)
    credentials: list[Any] = field(default_factory=list)
    servers: dict[str, Any] = field(default_factory=dict)
    actions: dict[str, list[Any]] = field(default_factory=dict)
    ports: list[Any] = field(default_factory=list)
    images: dict[str, Any] = field(default_factory=dict)
    volumes: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def forget(self) -> None:
        """Be as at first, at the same address."""
        vars(self).update(vars(CloudStandIn(url=self.url)))

    def answer(self, asked: Asked) -> Reply:
        self.asked[asked.path] += 1
        if self.status != 200:
            return Reply(self.status, b'{"error": {"message": "as told"}}')
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        path = asked.path.strip("/").split("/")
        return self._list(path, query) or self._one(path)

    def _list(self, path: list[str], query: dict[str, str]) -> Reply | None:
        match path:
            case ["v3", "credentials"]:
                rows = [row for row in self.credentials if row["type"] == query["type"]]
                return json_reply({"credentials": rows})
            case ["servers", identifier, "os-instance-actions"]:
                return json_reply({"instanceActions": self.actions.get(identifier, [])})
            case ["v2.0", "ports"]:
                return self._ports(query)
            case (
                ["v3", "projects" as key] | [("servers" | "volumes") as key] | [_, "images" as key]
            ):
                return json_reply({key: []})
        return None

    def _one(self, path: list[str]) -> Reply:
        match path:
            case ["v3", "projects", identifier]:
                return _row("project", self.projects.get(identifier))
            case ["servers", identifier]:
                return _row("server", self.servers.get(identifier))
            case ["v2", "images", identifier] if identifier in self.images:
                return json_reply(self.images[identifier])
            case ["volumes", identifier]:
                return _row("volume", self.volumes.get(identifier))
        return NOT_FOUND

    def _ports(self, query: dict[str, str]) -> Reply:
        """Pages of two, as Neutron cuts them where it is told to."""
        rows = [row for row in self.ports if row["device_id"] == query.get("device_id")]
        start = int(query.get("marker", "0"))
        page: dict[str, Any] = {"ports": rows[start : start + 2]}
        if start + 2 < len(rows):
            following = f"http://elsewhere.invalid/v2.0/ports?marker={start + 2}&" + "&".join(
                f"{name}={value}" for name, value in query.items() if name != "marker"
            )
            page["ports_links"] = [{"rel": "next", "href": following}]
        return json_reply(page)


@contextmanager
def cloud_stand_in() -> Iterator[CloudStandIn]:
    """One that knows nothing yet."""
    cloud = CloudStandIn()
    with serving(cloud.answer) as url:
        cloud.url = url
        yield cloud


def cloud_section(url: str) -> str:
    """``[service_auth]`` that leads every service to a stand-in, without a token."""
    return f"[service_auth]\nauth_type = none\nendpoint = {url}\n"


@dataclass
class VaultStandIn:
    """A key-value engine of version 2 at ``secret``, tokens with leases, Kubernetes' login.

    Attributes:
        keys: what the secret at `path` holds; None: it was deleted.
        tokens: by token, when it ends in seconds of the monotonic clock.
        lease: seconds for which a token is good after a login or a renewal.
        jwts: pods' tokens that log in.
        down: it answers 503, as a sealed Vault does.
    """

    keys: dict[str, Any] | None = field(default_factory=dict)
    path: str = "pollinate"
    tokens: dict[str, float] = field(default_factory=dict)
    lease: float = 3600
    renewable: bool = True
    jwts: set[str] = field(default_factory=set)
    role: str = "vendordata"
    down: bool = False
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def forget(self) -> None:
        """Be as at first, at the same address, with the token :data:`ROOT`, good for an hour."""
        vars(self).update(vars(VaultStandIn(url=self.url)))
        self.tokens[ROOT] = time.monotonic() + 3600

    def answer(self, asked: Asked) -> Reply:
        path = asked.path.removeprefix("/v1/")
        self.asked[path] += 1
        if self.down:
            return _errors(503, "Vault is sealed")
        if path == "auth/kubernetes/login":
            return self._login(json.loads(asked.body))
        token = next((v for k, v in asked.headers.items() if k.lower() == "x-vault-token"), "")
        if self.tokens.get(token, 0) <= time.monotonic():
            return _errors(403, "permission denied")
        return self._known(path, token)

    def _known(self, path: str, token: str) -> Reply:
        """To somebody whose token is good."""
        if path == "auth/token/lookup-self":
            ttl = int(max(1, self.tokens[token] - time.monotonic()))
            return json_reply({"data": {"ttl": ttl, "renewable": self.renewable}})
        if path == "auth/token/renew-self":
            return self._renew(token)
        if path == f"secret/data/{self.path}" and self.keys is not None:
            return json_reply({"data": {"data": self.keys, "metadata": {"version": 1}}})
        return _errors(404)

    def _login(self, body: dict[str, str]) -> Reply:
        if body["role"] != self.role or body["jwt"] not in self.jwts:
            return _errors(403, "permission denied")
        return self._renew(f"token-{len(self.tokens)}")

    def _renew(self, token: str) -> Reply:
        self.tokens[token] = time.monotonic() + self.lease
        lease = {"lease_duration": self.lease, "renewable": self.renewable}
        return json_reply({"auth": {"client_token": token, **lease}})


@contextmanager
def vault_stand_in() -> Iterator[VaultStandIn]:
    """One with the token :data:`ROOT`, good for an hour."""
    vault = VaultStandIn()
    with serving(vault.answer) as url:
        vault.url = url
        vault.forget()
        yield vault


def vault_section(vault: VaultStandIn) -> str:
    """``[vault]`` that leads there with the token :data:`ROOT`."""
    return f"[vault]\nurl = {vault.url}\ntoken = {ROOT}\npath = {vault.path}\n"


def _row(key: str, row: Any) -> Reply:
    return NOT_FOUND if row is None else json_reply({key: row})


def _errors(status: int, *errors: str) -> Reply:
    return Reply(status, json.dumps({"errors": errors}).encode())
