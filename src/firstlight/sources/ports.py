"""What a source of instances asks of the cloud's network service. Methods may block.

*Nothing* (an empty sequence, None) means that the network service was asked; *failed* is
:class:`NeutronUnavailable`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from firstlight.sources.contract import SourceUnavailable


class NeutronUnavailable(SourceUnavailable):
    """Neutron could not be asked, or did not answer in time; the message is one sentence."""


class Device(NamedTuple):
    """What a port belongs to: an instance, as far as the port says."""

    id: str
    project: str


class Ports(Protocol):
    """Who has an address, as the ports say: one entry for each port, however many are one's own."""

    def device_at_address(self, address: str) -> Sequence[Device]:
        """Devices with this fixed address on any network of any project (metadata-api §3.4).

        Raises:
            NeutronUnavailable: nobody knows.
        """

    def device_at_provider(self, provider: str, address: str) -> Sequence[Device] | None:
        """Those on the networks that the load balancer `provider` serves; None: it serves none.

        Raises:
            NeutronUnavailable: nobody knows.
        """


class SecurityGroups(Protocol):
    """Which security groups instances are in."""

    def security_groups(self, instance_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The groups' names of each of these instances, in the order of ports and of groups in
        each port, one entry per port; empty for an instance without ports.

        Raises:
            NeutronUnavailable: nobody knows.
        """
