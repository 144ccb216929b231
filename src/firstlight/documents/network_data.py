"""``network_data.json``: links, networks, services.

Only the first IPv4 and the first IPv6 subnet of a port count, and only the first address of each;
a port without subnets does not exist here. Those limits are Nova's and guests rely on them.
"""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

from firstlight.instance import Interface, Network, Subnet

# VIF types that guests may see by name; everything else is a physical link to them.
_SHOWN_VIF_TYPES = frozenset(
    ("bridge", "dvs", "hw_veb", "hyperv", "ovs", "tap", "vhostuser", "vif")
)
_DEFAULT_ROUTE = {4: "0.0.0.0", 6: "::"}  # noqa: S104  (a destination, not a bind address)


def network_data(interfaces: Iterable[Interface]) -> dict[str, Any]:
    """The document's value: ``{}`` when there are no interfaces at all."""
    interfaces = tuple(interfaces)
    if not interfaces:
        return {}
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    services: list[dict[str, str]] = []
    for interface in interfaces:
        network = interface.network
        if network is None or not network.subnets:
            continue
        link = _link(interface, network, len(links))
        links.append(link)
        for subnet in _shown_subnets(network):
            networks.append(_network(subnet, network.id, link["id"], len(networks)))
            services += [dns for dns in _services(subnet) if dns not in services]
    return {"links": links, "networks": networks, "services": services}


def _shown_subnets(network: Network) -> Iterable[Subnet]:
    for version in (4, 6):
        first = next((subnet for subnet in network.subnets if subnet.version == version), None)
        if first is not None and first.addresses:
            yield first


def _link(interface: Interface, network: Network, index: int) -> dict[str, Any]:
    # A DHCP server announces the MTU itself; saying it twice has broken guests (LP 1899487).
    announced = any(subnet.dhcp_server for subnet in network.subnets)
    return {
        "id": interface.device_name or f"interface{index}",
        "vif_id": interface.port_id,
        "type": interface.vif_type if interface.vif_type in _SHOWN_VIF_TYPES else "phy",
        "mtu": None if announced else network.mtu,
        "ethernet_mac_address": interface.mac,
    }


def _network(subnet: Subnet, network_id: str, link: str, index: int) -> dict[str, Any]:
    name, family = f"network{index}", f"ipv{subnet.version}"
    if subnet.ipv6_address_mode is not None:
        family = f"{family}_{subnet.ipv6_address_mode}"
    elif subnet.dhcp_server is not None or subnet.enable_dhcp:
        return {"id": name, "type": f"{family}_dhcp", "link": link, "network_id": network_id}
    return {
        "id": name,
        "type": family,
        "link": link,
        "ip_address": subnet.addresses[0].address,
        "netmask": str(ip_network(subnet.cidr, strict=False).netmask),
        "routes": _routes(subnet),
        "network_id": network_id,
        "services": _services(subnet),
    }


def _routes(subnet: Subnet) -> list[dict[str, str]]:
    routes = []
    if subnet.gateway:
        anywhere = _DEFAULT_ROUTE[subnet.version]
        routes.append({"network": anywhere, "netmask": anywhere, "gateway": subnet.gateway})
    for route in subnet.routes:
        destination = ip_network(route.cidr, strict=False)
        routes.append(
            {
                "network": str(destination.network_address),
                "netmask": str(destination.netmask),
                "gateway": route.gateway,
            }
        )
    return routes


def _services(subnet: Subnet) -> list[dict[str, str]]:
    return [{"type": "dns", "address": address} for address in subnet.dns]
