"""Nova's cache of an instance's interfaces (``instance_info_caches.network_info``)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from firstlight.instance import Address, Interface, Network, Route, Subnet

Vif = Mapping[str, Any]


def decode(column: str | None) -> Sequence[Vif]:
    """The cache as plain JSON values; nothing cached is an empty sequence."""
    vifs: Sequence[Vif] = msgspec.json.decode(column) if column else ()
    return vifs or ()


def interfaces(vifs: Sequence[Vif]) -> tuple[Interface, ...]:
    """The interfaces, in their order."""
    return tuple(map(_interface, vifs))


def _interface(vif: Vif) -> Interface:
    network = vif.get("network")
    return Interface(
        port_id=vif["id"],
        mac=vif["address"],
        # A port nobody has bound yet has no type; guests see both alike, as `phy`.
        vif_type=vif.get("type") or "unbound",
        device_name=vif.get("devname"),
        network=_network(network) if network else None,
    )


def _network(network: Mapping[str, Any]) -> Network:
    return Network(
        id=network["id"],
        mtu=network.get("meta", {}).get("mtu"),
        subnets=tuple(map(_subnet, network.get("subnets") or ())),
    )


def _subnet(subnet: Mapping[str, Any]) -> Subnet:
    meta = subnet.get("meta", {})
    return Subnet(
        cidr=subnet["cidr"],
        addresses=tuple(map(_fixed, subnet.get("ips") or ())),
        gateway=_address(subnet.get("gateway")),
        dns=tuple(server["address"] for server in subnet.get("dns") or ()),
        routes=tuple(map(_route, subnet.get("routes") or ())),
        dhcp_server=meta.get("dhcp_server"),
        enable_dhcp=bool(meta.get("enable_dhcp")),
        ipv6_address_mode=meta.get("ipv6_address_mode"),
    )


def _fixed(ip: Mapping[str, Any]) -> Address:
    floating = tuple(one["address"] for one in ip.get("floating_ips") or ())
    return Address(address=ip["address"], floating=floating)


def _route(route: Mapping[str, Any]) -> Route:
    return Route(cidr=route["cidr"], gateway=route["gateway"]["address"])


def _address(ip: Mapping[str, Any] | None) -> str | None:
    return ip.get("address") if ip else None
