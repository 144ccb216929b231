"""``network_data.json`` of a bare-metal server: links as the node is really wired.

Nova's Ironic driver does this for the config drive only. A port that Ironic has put on a port group
is a bond of that group's members; any other is a physical link with the address of the real NIC.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field


class _Attached(Struct, frozen=True):
    """What ports and port groups have in common, by the names of Ironic's API."""

    uuid: str
    address: str | None = None
    internal_info: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def vif(self) -> str | None:
        """The Neutron port that is attached to it; `extra` is where old Ironic kept it."""
        return self.internal_info.get("tenant_vif_port_id") or self.extra.get("vif_port_id")


class BareMetalPort(_Attached, frozen=True):
    """A NIC of the node: an element of ``ports`` in ``GET /v1/ports/detail``."""

    portgroup_uuid: str | None = None


class PortGroup(_Attached, frozen=True):
    """A bond of the node: an element of ``portgroups`` in ``GET /v1/portgroups/detail``."""

    mode: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


class BareMetal(Struct, frozen=True):
    """The answers of both requests together, for one node; what else they say is not needed."""

    ports: tuple[BareMetalPort, ...] = ()
    portgroups: tuple[PortGroup, ...] = ()


def on_bare_metal(network_data: Mapping[str, Any], node: BareMetal) -> dict[str, Any]:
    """`network_data` (the value of the document) with the links of `node`.

    ``{}``, a server without interfaces, stays as it is.
    """
    if not network_data:
        return {}
    groups = {group.vif: group for group in node.portgroups if group.vif}
    ports = {port.vif: port for port in node.ports if port.vif}
    links: list[dict[str, Any]] = []
    members: list[BareMetalPort] = []
    for link in network_data["links"]:
        if (group := groups.get(link["vif_id"])) is not None:
            joined = [port for port in node.ports if port.portgroup_uuid == group.uuid]
            members += joined
            links.append(link | _bond(group, link["ethernet_mac_address"], joined))
        elif (port := ports.get(link["vif_id"])) is not None:
            links.append(link | {"type": "phy", "ethernet_mac_address": port.address})
        else:
            links.append(link)
    return {**network_data, "links": [*links, *map(_member, members)]}


def _bond(group: PortGroup, address: str, members: Iterable[BareMetalPort]) -> dict[str, Any]:
    # Options of the kernel's bonding driver; cloud-init takes those that begin with "bond".
    options = {
        name if name.startswith("bond") else f"bond_{name}": value
        for name, value in group.properties.items()
    }
    return {
        "type": "bond",
        "bond_mode": group.mode,
        "bond_links": [port.uuid for port in members],
        "ethernet_mac_address": group.address or address,
        **options,
    }


def _member(port: BareMetalPort) -> dict[str, Any]:
    return {"id": port.uuid, "type": "phy", "ethernet_mac_address": port.address}
