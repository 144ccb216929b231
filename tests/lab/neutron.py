"""A stand-in for Neutron: the two list calls Nova makes for every server, and the lookups' calls.

It is not Neutron. What Nova reads of Neutron here is two short lists, and the recorded bytes depend
on nothing else of it; network info is given to Nova directly, as its own cache keeps it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs
from uuid import NAMESPACE_DNS, uuid5

from lab.serving import Reply, json_reply


def group_id(name: str) -> str:
    """A security group's id; a name that is an id already stands for an unnamed group."""
    return name if len(name) == 36 and name.count("-") == 4 else str(uuid5(NAMESPACE_DNS, name))


class Neutron:
    """Ports, security groups and subnets, filtered the way Nova asks for them."""

    def __init__(self, ports: Sequence[Mapping[str, Any]], subnets: Sequence[Mapping[str, Any]]):
        self._ports = ports
        self._subnets = subnets

    def answer(self, path: str, query: str) -> Reply | None:
        """The reply to a GET; None if Nova never asks for such a path."""
        wanted = parse_qs(query)
        if path.endswith("/ports"):
            return json_reply({"ports": [p for p in self._ports if _matches(p, wanted)]})
        if path.endswith("/security-groups"):
            return json_reply({"security_groups": self._groups(wanted.get("id"))})
        if path.endswith("/subnets"):
            return json_reply({"subnets": [s for s in self._subnets if _matches(s, wanted)]})
        return None

    def _groups(self, ids: Iterable[str] | None) -> list[dict[str, str]]:
        known = {group_id(name): name for port in self._ports for name in port["group_names"]}
        there = [group for group in (known if ids is None else ids) if group in known]
        return [{"id": i, "name": "" if known[i] == i else known[i]} for i in there]


def port(device_id: str, project_id: str, groups: Sequence[str], **fields: Any) -> dict[str, Any]:
    """A port of a server that carries these security groups."""
    return {
        "device_id": device_id,
        "tenant_id": project_id,
        "security_groups": [group_id(name) for name in groups],
        "group_names": list(groups),
        **fields,
    }


def _matches(row: Mapping[str, Any], wanted: Mapping[str, list[str]]) -> bool:
    return all(_has(row, name, wanted[name]) for name in wanted if name != "fields")


def _has(row: Mapping[str, Any], name: str, values: list[str]) -> bool:
    if name == "fixed_ips":
        return any(f"ip_address={a}" in values for a in row.get("addresses", ()))
    held = row.get(name)
    return bool(set(held) & set(values)) if isinstance(held, list) else held in values
