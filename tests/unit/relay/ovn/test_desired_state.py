"""Which namespaces a chassis needs."""

from dataclasses import dataclass
from typing import Any

import pytest

from firstlight.relay.ovn.desired_state import PortBinding, desired_namespaces
from firstlight.relay.resolvers.ports import Port

RED = "7a9c5c2e-0b51-4b0e-9b2e-3d0c6a0f1c11"
MAC = "fa:16:3e:12:34:56"
ALWAYS = "169.254.169.254/32"


@dataclass
class Rows:
    """Rows of one network."""

    network: str = RED

    def metadata(self, cidrs: str = "10.0.0.2/24", **fields: Any) -> PortBinding:
        device = fields.pop("device_id", f"ovnmeta-{self.network}")
        return PortBinding(
            self._port("meta", (), device), "localport", here=False, cidrs=cidrs, **fields
        )

    def guest(self, *addresses: str, here: bool = True, kind: str = "") -> PortBinding:
        return PortBinding(self._port("guest", addresses, "server"), kind, here)

    def _port(self, name: str, addresses: tuple[str, ...], device: str) -> Port:
        return Port(
            id=name,
            network_id=self.network,
            mac=MAC,
            addresses=addresses,
            device_id=device,
            device_owner="",
            project_id="",
        )


def test_one_guest() -> None:
    """The metadata port's address in the guest's subnet, the metadata address, MAC, MTU."""
    made = desired_namespaces([Rows().metadata(mtu="1442"), Rows().guest("10.0.0.5")])
    assert made.keys() == {RED}
    namespace = made[RED]
    assert namespace.addresses == {"10.0.0.2/24", ALWAYS}
    assert (namespace.logical_port, namespace.mac, namespace.mtu) == ("meta", MAC, 1442)


def test_only_subnets_with_guests_here() -> None:
    """Of the subnets without a guest on this chassis it has no address."""
    port = Rows().metadata("10.0.0.2/24 10.1.0.2/24")
    [made] = desired_namespaces(
        [port, Rows().guest("10.1.0.9"), Rows().guest("10.0.0.9", here=False)]
    ).values()
    assert made.addresses == {"10.1.0.2/24", ALWAYS}


def test_ipv6() -> None:
    """A guest with an IPv6 address brings the IPv6 metadata address and a link-local one."""
    port = Rows().metadata("10.0.0.2/24 fd00::2/64")
    [made] = desired_namespaces([port, Rows().guest("fd00::5")]).values()
    link_local = "fe80::f816:3eff:fe12:3456/64"
    assert made.addresses == {ALWAYS, "fe80::a9fe:a9fe/128", link_local}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Rows().metadata()],
        [Rows().guest("10.0.0.5")],
        [Rows().metadata(), Rows().guest("10.0.0.5", here=False)],
        [Rows().metadata(), Rows().guest()],
        [Rows().metadata(), Rows().guest("10.0.0.5", kind="patch")],
        [Rows().metadata(device_id="somebody's"), Rows().guest("10.0.0.5")],
    ],
    ids=["nothing", "no guest", "no port", "elsewhere", "no address", "a router", "another port"],
)
def test_none(rows: list[PortBinding]) -> None:
    """Without a guest here that has an address, or without Neutron's port, there is none."""
    assert desired_namespaces(rows) == {}


def test_external() -> None:
    """A guest whose traffic comes from outside (SR-IOV) counts where its port is bound."""
    assert desired_namespaces(
        [Rows().metadata(), Rows().guest("10.0.0.5", kind="external")]
    ).keys() == {RED}


def test_garbage() -> None:
    """What is no address, and no number, is left out."""
    port = Rows().metadata("10.0.0.2/24 nonsense 10.0.0.2/99", mtu="many")
    [made] = desired_namespaces([port, Rows().guest("10.0.0.5")]).values()
    assert made.addresses == {"10.0.0.2/24", ALWAYS}
    assert made.mtu == 0
