"""Real Neutron under uWSGI, on loopback, with ML2, routers and SQLite in a directory.

It has no agents and no message bus: networks, subnets, ports, routers and security groups are what
the metadata service asks about, and all of them are the API's. Its migrations do not run on SQLite,
so the schema is made from its models and stamped. Another database can be named.
"""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from lab.apis import announce
from lab.keystone import REGION, Keystone  # noqa: F401  (its region, for who asks it)
from lab.prepared import copy, prepared
from lab.uwsgi import HOST, Uwsgi, options, run

# Neutron has subnets' `advanced_service_providers` with these options; see the module in there.
EXTENSIONS = Path(__file__).parent / "inside_neutron"
WITH_PROVIDERS = {
    "service_plugins": "router,subnetproviders.Providers",
    "api_extensions_path": str(EXTENSIONS),
}

_CONF = """\
[DEFAULT]
log_file = {directory}/neutron.log
state_path = {directory}
auth_strategy = keystone
core_plugin = ml2
transport_url = fake:/
api_paste_config = {paste}
api_workers = 0
rpc_workers = 0
rpc_state_report_workers = 0
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
{options}
[database]
connection = {database}
[quotas]
default_quota = -1
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_security_group = -1
quota_security_group_rule = -1
[oslo_concurrency]
lock_path = {directory}
[keystone_authtoken]
{authtoken}
[ml2]
type_drivers = flat,vlan,vxlan
tenant_network_types = vxlan
mechanism_drivers = {drivers}
[ml2_type_vxlan]
vni_ranges = 1:4000
{sections}
"""

_MAKE_SCHEMA = """\
import sys
from sqlalchemy import create_engine
from neutron.db.migration import cli
from neutron.db.migration.models import head
url, conf = sys.argv[1:]
head.get_metadata().create_all(create_engine(url))
sys.argv[1:] = ["--config-file", conf, "stamp", "heads"]
cli.main()
"""
_SQLITE = "neutron.sqlite"
_COPY_ATTRIBUTES = """\
INSERT INTO standardattributes
    (resource_type, description, revision_number, created_at, updated_at)
SELECT resource_type, a.description, revision_number, created_at, updated_at
FROM standardattributes a JOIN subnets s ON a.id = s.standard_attr_id WHERE s.id = ?
"""
_COPY_SUBNET = """\
INSERT INTO subnets
    (id, cidr, standard_attr_id, name, network_id, ip_version, enable_dhcp, project_id)
SELECT ?, ?, last_insert_rowid(), name, network_id, ip_version, enable_dhcp, project_id
FROM subnets WHERE id = ?
"""


_PATIENCE = 60.0  # seconds


class NeutronFailed(Exception):
    """Neutron did not do what was asked; the message holds the end of its log."""


class RealNeutron:
    """A Neutron that can be stopped and started again; it keeps its database and its port.

    Args:
        environment: the lab, see :func:`lab.environment.lab`.
        directory: for everything it writes; empty at first.
        port: a free one.
        keystone: running; it is told of the endpoint by :meth:`create`.
        options: more of ``[DEFAULT]``.
        drivers: ML2's mechanism drivers; those of :data:`EXTENSIONS` can be among them.
        database: the URL of an empty one, which several agents at a time need; without it, SQLite
            in `directory`.
        sections: more of neutron.conf, read after the rest.
    """

    def __init__(
        self,
        environment: Path,
        directory: Path,
        port: int,
        keystone: Keystone,
        options: Mapping[str, str] | None = None,
        *,
        drivers: str = "openvswitch",
        database: str | None = None,
        sections: str = "",
    ) -> None:
        self._environment = environment
        self._directory = directory
        self._keystone = keystone
        self.url = f"http://{HOST}:{port}"
        self._variables = {
            "PYTHONPATH": str(EXTENSIONS),
            "OS_NEUTRON_CONFIG_DIR": str(directory),
            "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
        }
        command = _command(environment, port)
        self._uwsgi = Uwsgi(environment, directory, command, self.url, variables=self._variables)
        self._token = ""
        self._made = False  # a network, which every administrator sees
        self._drivers = drivers
        self._sections = sections
        self._database = database or _in(directory)
        self.configure(**(options or {}))

    def configure(self, **options: str) -> None:
        """Write neutron.conf with these options of ``[DEFAULT]``; counts from the next start."""
        authtoken = self._keystone.credentials("neutron", "service") | {
            "www_authenticate_uri": self._keystone.url,
            "service_token_roles_required": "true",
        }
        text = _CONF.format(
            directory=self._directory,
            paste=self._environment / "etc" / "neutron" / "api-paste.ini",
            drivers=self._drivers,
            database=self._database,
            sections=self._sections,
            options=_lines({"service_plugins": "router", **options}),
            authtoken=_lines(authtoken),
        )
        (self._directory / "neutron.conf").write_text(text)

    def create(self, *, announced: bool = True) -> None:
        """Make the database, announce the endpoint to Keystone, start.

        One that is not announced is found by nobody but who has its URL.
        """
        if self._database == _in(self._directory):
            made = prepared(self._environment, "neutron", (Path(__file__),), self._prepare)
            copy(made, self._directory, _SQLITE)
        else:
            self._make_schema()
        if announced:
            announce(self._keystone, "network", self.url)
        self.start()

    def start(self) -> None:
        """Serve; returns when it answers, and an administrator sees what there is."""
        self._uwsgi.start()
        if self._made:
            self._await_policies()

    def stop(self) -> None:
        """Serve no more. Stopping twice does no harm."""
        self._uwsgi.stop()

    def pause(self) -> None:
        """Accept connections and answer nobody, until :meth:`resume`."""
        self._uwsgi.pause()

    def resume(self) -> None:
        """Answer again."""
        self._uwsgi.resume()

    @property
    def pid(self) -> int:
        """Of its process, while it serves."""
        return self._uwsgi.pid

    # -- what an administrator does with it --------------------------------------------------------

    def make(self, kind: str, **fields: Any) -> Any:
        """Create one resource; its fields as Neutron shows them."""
        self._made = self._made or kind == "network"
        return self._call("POST", f"{_plural(kind)}", {kind: fields})[kind]

    def make_many(self, kind: str, fields: list[dict[str, Any]]) -> list[Any]:
        """Create resources of one kind in one call."""
        made: list[Any] = self._call("POST", _plural(kind), {f"{kind}s": fields})[f"{kind}s"]
        return made

    def copy_subnet(self, identifier: str, cidrs: Iterable[str]) -> None:
        """Subnets like this one with these CIDRs, of which ports get no addresses.

        They are written into the SQLite file: the API takes seconds to make a hundred.
        """
        with closing(sqlite3.connect(self._directory / _SQLITE, timeout=60)) as database, database:
            for cidr in cidrs:
                database.execute(_COPY_ATTRIBUTES, (identifier,))
                database.execute(_COPY_SUBNET, (str(uuid4()), cidr, identifier))

    def change(self, kind: str, identifier: str, **fields: Any) -> Any:
        """Change one resource."""
        return self._call("PUT", f"{_plural(kind)}/{identifier}", {kind: fields})[kind]

    def delete(self, kind: str, identifier: str) -> None:
        """Delete one resource."""
        self._call("DELETE", f"{_plural(kind)}/{identifier}")

    def attach(self, router: str, subnet: str) -> None:
        """Give a router an interface on a subnet."""
        self._call("PUT", f"routers/{router}/add_router_interface", {"subnet_id": subnet})

    def detach(self, router: str, subnet: str) -> None:
        """Take it away."""
        self._call("PUT", f"routers/{router}/remove_router_interface", {"subnet_id": subnet})

    def schedule(self, agent: str, *, network: str = "", router: str = "") -> None:
        """Give a DHCP agent a network, or an L3 agent a router; it may have it already."""
        kind, fields = _scheduled(network, router)
        given = self._send("POST", f"agents/{agent}/{kind}", fields)
        if not given.ok and given.status_code != 409:
            raise NeutronFailed(f"agent {agent}: {given.status_code} {given.text[:500]}")

    def unschedule(self, agent: str, *, network: str = "", router: str = "") -> None:
        """Take it away again."""
        kind, fields = _scheduled(network, router)
        self._call("DELETE", f"agents/{agent}/{kind}/{next(iter(fields.values()))}")

    def agents(self, host: str) -> dict[str, str]:
        """The ids of a host's agents that it shows as alive, by kind."""
        shown = self._call("GET", f"agents?host={host}")["agents"]
        return {one["agent_type"]: one["id"] for one in shown if one["alive"]}

    def ask(self, path: str) -> requests.Response:
        """GET as an administrator, whatever the status."""
        return self._send("GET", path, None)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._send(method, path, body)
        if not answer.ok:
            raise NeutronFailed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, body: Any) -> requests.Response:
        """One request, with a new token if the old one is not good any more."""
        answer = self._once(method, path, body)
        if answer.status_code == 401:
            self._token = self._keystone.token("admin", "admin")
            answer = self._once(method, path, body)
        return answer

    def _once(self, method: str, path: str, body: Any) -> requests.Response:
        headers = {"X-Auth-Token": self._token}
        return requests.request(method, self._path(path), json=body, headers=headers, timeout=60)

    def _path(self, path: str) -> str:
        return f"{self.url}/v2.0/{path}"

    def _await_policies(self) -> None:
        """Threads that are asked at the same time race to load Neutron's policies, and as long as
        none has, an administrator is told of nothing: an empty list, and no error."""
        until = time.monotonic() + _PATIENCE
        while not self._call("GET", "networks?fields=id&limit=1")["networks"]:
            if time.monotonic() > until:
                raise NeutronFailed("Neutron shows an administrator none of its networks")
            time.sleep(0.1)

    # -- how it runs -------------------------------------------------------------------------------

    def _prepare(self, directory: Path) -> None:
        """Make the SQLite database in another directory."""
        RealNeutron(self._environment, directory, 1, self._keystone)._make_schema()

    def _make_schema(self) -> None:
        words = ("-c", _MAKE_SCHEMA, self._database, str(self._directory / "neutron.conf"))
        at = (self._environment, self._directory)
        run(*at, "python", *words, variables=self._variables)


def _in(directory: Path) -> str:
    """The URL of its SQLite database there."""
    return f"sqlite:///{directory}/{_SQLITE}"


def _command(environment: Path, port: int) -> list[str]:
    """It keeps connections, as its own server does: ours and Nova's clients reuse them."""
    return [
        str(environment / "bin" / "uwsgi"),
        *("--http11-socket", f"{HOST}:{port}"),
        *("--set", f"start-time={int(time.time())}"),
        *options("--module", "neutron.wsgi.api:application", threads=8),
    ]


def _scheduled(network: str, router: str) -> tuple[str, dict[str, str]]:
    """What agents are given is called, and how it is named."""
    return (
        ("dhcp-networks", {"network_id": network})
        if network
        else ("l3-routers", {"router_id": router})
    )


def _plural(kind: str) -> str:
    return f"{kind}s".replace("_", "-")


def _lines(options: Mapping[str, str]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in options.items())
