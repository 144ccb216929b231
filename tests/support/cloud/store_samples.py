"""Instances for tests of the store."""

from typing import Any

from firstlight.instance import Address, Instance, Interface, Network, Subnet

IMAGE = "00000000-0000-4000-8000-0000000000aa"
KERNEL = "00000000-0000-4000-8000-0000000000bb"


def uuid(number: int) -> str:
    """The UUID of the test's instance of that number."""
    return f"00000000-0000-4000-8000-{number:012x}"


def server(number: int = 1, **fields: Any) -> Instance:
    """A small valid instance."""
    basics = {"uuid": uuid(number), "project_id": "p1", "name": "web", "hostname": "web"}
    return Instance(**(basics | fields))


def interface(
    address: str,
    cidr: str,
    network: str = "n1",
    providers: tuple[str, ...] = (),
    port: str = "",
    *,
    mac: str = "fa:16:3e:00:00:01",
) -> Interface:
    """An interface with one address; a port of its own, unless one is named."""
    subnet = Subnet(cidr=cidr, addresses=(Address(address=address),), service_providers=providers)
    return Interface(
        port_id=port or f"{address} on {network}",
        mac=mac,
        network=Network(id=network, subnets=(subnet,)),
    )
