"""The network namespaces that Neutron's agents make, and what each of them stands for.

`qdhcp-NETWORK` is the DHCP agent's, `qrouter-ROUTER` the L3 agent's, `ovnmeta-NETWORK` the OVN
metadata agent's; other names under /run/netns are somebody else's.
"""

import re
from collections.abc import Collection

from msgspec import Struct

from firstlight.relay.contract import Origin, Via

KINDS = {"qdhcp": Via.NETWORK, "qrouter": Via.ROUTER, "ovnmeta": Via.OVN}

METADATA_IPV4 = "169.254.169.254"
METADATA_IPV6 = "fe80::a9fe:a9fe"
METADATA_PORT = 80

_NAME = re.compile(
    rf"({'|'.join(KINDS)})-([0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}})"
)


class ListenAddress(Struct, frozen=True):
    """One address at which guests ask.

    `network` tells two namespaces of one name apart, of which one came after the other.
    """

    namespace: str
    network: int  # see kernel.network_of
    host: str
    port: int
    device: int = 0  # index of the interface of a link-local address

    def __str__(self) -> str:
        zone = f"%{self.device}" if self.device else ""
        host = f"[{self.host}{zone}]" if ":" in self.host else self.host
        return f"{self.namespace}/{host}:{self.port}"


def kind_of(namespace: str) -> str:
    """``qdhcp``, ``qrouter`` or ``ovnmeta``."""
    return namespace.partition("-")[0]


def place_of(namespace: str, kinds: Collection[str] = frozenset(KINDS)) -> Origin | None:
    """What a request that comes in there stands for; None: the name is none of these kinds'."""
    named = _NAME.fullmatch(namespace)
    if named is None or named[1] not in kinds:
        return None
    return Origin(KINDS[named[1]], named[2])
