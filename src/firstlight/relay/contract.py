"""Who asks? A place and an address in it; and the four answers to that question.

Fixed addresses overlap between tenants, so an address means something only together with the
network or router it was seen at, and that is never the guest's to say.
"""

from collections.abc import Sequence
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from msgspec import Struct


class Via(Enum):
    """What kind of place a request came in at; the value is the header a proxy names it in."""

    NETWORK = "X-Neutron-Network-ID"
    ROUTER = "X-Neutron-Router-ID"
    OVN = "X-OVN-Network-ID"


class Origin(Struct, frozen=True):
    """Where a request came in: `id` is the network's or router's UUID, in lower case."""

    via: Via
    id: str


class Guest(Struct, frozen=True):
    """Who asks: an address at a place. A v4-mapped address is the IPv4 inside; no zone."""

    place: Origin
    address: IPv4Address | IPv6Address


class Found(Struct, frozen=True):
    """Exactly one port has that address there."""

    instance_id: str
    project_id: str
    port_id: str
    mac: str  # lower case, with colons
    stale: int | None = None  # seconds since it was looked up, if it cannot be looked up now
    # MACs of the same server's other ports on the network, as far as the resolver was told of them.
    other_macs: tuple[str, ...] = ()

    def has_mac(self, mac: str) -> bool:
        """Whether it is that of a port of this server there."""
        return mac == self.mac or mac in self.other_macs


class Nobody(Struct, frozen=True):
    """The resolver was asked and no port has that address there."""


class Ambiguous(Struct, frozen=True):
    """Several ports have it; no answer is better than a wrong one."""

    port_ids: tuple[str, ...]


class Unavailable(Struct, frozen=True):
    """The resolver could not be asked; `reason` is for the log."""

    reason: str


Resolution = Found | Nobody | Ambiguous | Unavailable


class Resolver(Protocol):
    """Finds the ports of guests. Called on cold threads; may block, but not for ever."""

    name: str  # neutron-rpc, neutron-rest, ovn, store

    def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Sequence[Resolution]:
        """One resolution for each guest, in their order. Never raises for what may go wrong.

        `fresh`: nothing that was kept from an earlier call may decide.

        A link-local IPv6 address names a port only if it is the EUI-64 of the MAC that the port
        really has (``ff:fe`` in the middle, RFC 4291 appendix A).
        """
        ...

    def trouble(self) -> str | None:
        """Why it could not be asked lately, for readiness; None: it could."""
        ...

    def close(self) -> None:
        """Let go of connections and threads."""
        ...
