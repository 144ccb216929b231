"""What counts of a port, and which of several is a guest's: pure."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address

from msgspec import Struct
from msgspec.structs import replace

from firstlight.relay.contract import Ambiguous, Found, Guest, Nobody, Resolution
from firstlight.relay.link_local import mac_of

# Owners of Neutron's own ports (DHCP, routers, OVN's metadata); their devices are no instances.
_NEUTRONS = "network:"


class Port(Struct, frozen=True):
    """A port of a network; addresses in the form of RFC 5952, the MAC in lower case."""

    id: str
    network_id: str
    mac: str
    addresses: tuple[str, ...]
    device_id: str
    device_owner: str
    project_id: str


def key_of(guest: Guest) -> str | None:
    """What a guest's port is found by: an address, or for a link-local one the MAC in it.

    None: by nothing, since the address was not made from a MAC.
    """
    address = guest.address
    if isinstance(address, IPv6Address) and address.is_link_local:
        return mac_of(address)
    return str(address)


def keys_of(port: Port) -> tuple[str, ...]:
    """Everything that :func:`key_of` may say of a guest at this port."""
    return (port.mac, *port.addresses)


def one_of(ports: Sequence[Port]) -> Resolution:
    """The resolution, if these are all the ports that a guest may be at.

    A second port makes it ambiguous even where it belongs to no instance: which of the two sent
    the request cannot be told.
    """
    if len(ports) > 1:
        return Ambiguous(tuple(sorted(port.id for port in ports)))
    return _owner(ports[0]) if ports else Nobody()


def server_of(resolution: Resolution) -> tuple[str, str] | None:
    """The server that was found, by its id and its project's; None: none was.

    Both, because whoever makes a port may write the id of another project's server into it.
    """
    if not isinstance(resolution, Found):
        return None
    return resolution.instance_id, resolution.project_id


def with_other_macs(resolution: Resolution, ports: Iterable[Port]) -> Resolution:
    """The resolution, with the MACs of those of `ports` that are the same server's."""
    if not isinstance(resolution, Found):
        return resolution
    server = server_of(resolution)
    macs = {port.mac for port in ports if (port.device_id, port.project_id) == server}
    return replace(resolution, other_macs=tuple(sorted(macs - {resolution.mac})))


def _owner(port: Port) -> Resolution:
    """Nobody where the port belongs to no instance: its address is reserved, or Neutron's own."""
    if not port.device_id or not port.project_id or port.device_owner.startswith(_NEUTRONS):
        return Nobody()
    return Found(port.device_id, port.project_id, port.id, port.mac)
