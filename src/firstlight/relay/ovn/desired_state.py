"""Which namespaces a chassis needs, from the southbound database's rows: pure."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Interface, ip_address, ip_interface

from msgspec import Struct

from firstlight.relay.link_local import address_of
from firstlight.relay.namespaces import METADATA_IPV4, METADATA_IPV6
from firstlight.relay.resolvers.ports import Port

_LOCALPORT = "localport"
_GUESTS = ("", "external")  # types of ports behind which guests are


class PortBinding(Struct, frozen=True):
    """A row of ``Port_Binding``, schema ovn-sb(5).

    Attributes:
        here: whether this chassis has bound it, or is about to (a migration).
        cidrs, mtu: as Neutron's driver writes them into ``external_ids``.
    """

    port: Port
    type: str
    here: bool
    cidrs: str = ""
    mtu: str = ""


class DesiredNamespace(Struct, frozen=True):
    """A namespace, with one end of a cable whose other end is a port of the switch."""

    network_id: str
    logical_port: str
    mac: str
    mtu: int  # 0: as it comes
    addresses: frozenset[str]  # with prefix lengths


def desired_namespaces(rows: Iterable[PortBinding]) -> dict[str, DesiredNamespace]:
    """What is needed, by network: one for each that has guests here, and a metadata port."""
    guests: dict[str, list[str]] = {}
    metadata: dict[str, PortBinding] = {}
    for row in rows:
        network = row.port.network_id
        if row.type == _LOCALPORT and row.port.device_id == f"ovnmeta-{network}":
            metadata[network] = row
        elif row.here and row.type in _GUESTS and row.port.addresses:
            guests.setdefault(network, []).extend(row.port.addresses)
    both = guests.keys() & metadata.keys()
    return {network: _namespace(metadata[network], guests[network]) for network in both}


def _namespace(row: PortBinding, guests: Sequence[str]) -> DesiredNamespace:
    """Its own address of each subnet in which guests are here, and the metadata addresses."""
    port = row.port
    parsed = [ip_address(guest) for guest in guests]
    addresses = {
        str(own) for own in _interfaces(row.cidrs) if any(guest in own.network for guest in parsed)
    }
    addresses.add(f"{METADATA_IPV4}/32")
    if any(guest.version == 6 for guest in parsed):
        addresses |= {f"{METADATA_IPV6}/128", f"{address_of(port.mac)}/64"}
    mtu = int(row.mtu) if row.mtu.isdecimal() else 0
    return DesiredNamespace(port.network_id, port.id, port.mac, mtu, frozenset(addresses))


def _interfaces(cidrs: str) -> list[IPv4Interface]:
    """Those of IPv4: over IPv6 it is asked at a link-local address alone."""
    found = []
    for word in cidrs.split():
        try:
            interface = ip_interface(word)
        except ValueError:
            continue
        if isinstance(interface, IPv4Interface):
            found.append(interface)
    return found
