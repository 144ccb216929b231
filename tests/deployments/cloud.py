"""A stand-in for Keystone and for what Nova and its target ask, at one address."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lab.kinds.kind import Kind
from lab.neutron import Neutron, port
from lab.serving import Asked, Reply, json_reply

URL = "http://internal.example.org"
_NETWORK = [
    {"interface": each, "region": region, "region_id": region, "url": f"{URL}:9696", "id": each}
    for each in ("public", "internal", "admin")
    for region in ("RegionOne",)
]


class Cloud:
    """Every user may log in; Neutron has the ports of these servers."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._neutron = Neutron(
            [
                port(kind.instance["uuid"], kind.instance["project_id"], groups)
                for kind in kinds
                for groups in kind.port_groups
            ],
            [],
        )

    def answer(self, asked: Asked) -> Reply:
        """One request."""
        match asked.path.strip("/").split("/"):
            case ["v3", "auth", "tokens"]:
                return _token()
            case ["v3"] | [""]:
                return _versions(asked)
            case ["vendordata"]:
                return json_reply({"rack": 7})
        return self._neutron.answer(asked.path, asked.query) or Reply(404, b"{}")


def _token() -> Reply:
    now = datetime.now(UTC)
    token = {
        "methods": ["password"],
        "user": {"id": "u", "name": "nova", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p", "name": "service", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "r", "name": "admin"}, {"id": "s", "name": "service"}],
        "catalog": [{"type": "network", "name": "neutron", "id": "n", "endpoints": _NETWORK}],
        "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        "expires_at": (now + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
    }
    return Reply(201, json.dumps({"token": token}).encode(), headers={"X-Subject-Token": "t"})


def _versions(asked: Asked) -> Reply:
    """Discovery: version 3 of Keystone, wherever it is asked; of Neutron, none."""
    if asked.headers.get("Host", "").endswith(":9696"):
        return Reply(404, b"{}")
    version = {
        "id": "v3.14",
        "status": "stable",
        "links": [{"rel": "self", "href": f"{URL}:5000/v3/"}],
    }
    if asked.path.strip("/"):
        return json_reply({"version": version})
    return Reply(300, json.dumps({"versions": {"values": [version]}}).encode())
