"""Instances with a mark in everything they are told, so that a leak shows whatever it leaks.

Every text of an instance that a guest can see carries the instance's own mark. An answer that has
a mark of anybody else's is a leak, whichever document it came from.
"""

import base64
import re

from firstlight.instance import (
    Address,
    BlockDevice,
    Disk,
    Instance,
    Interface,
    Keypair,
    Network,
    Nic,
    Subnet,
)

NAMES = ("ann", "bob", "cat")
SECRET = "fuzz-secret"
_MARK = re.compile(rb"mark-(\w+)-")


def mark(name: str) -> str:
    """What everything of that instance carries."""
    return f"mark-{name}-"


def address(name: str) -> str:
    """Its address, on loopback, so that a test can come from it."""
    return f"127.0.0.{21 + NAMES.index(name)}"


def load_balancer(name: str) -> str:
    """The provider that serves its network and nobody else's."""
    return f"lb-{NAMES.index(name)}"


def instance(name: str) -> Instance:
    """The instance of that name."""
    number, m = NAMES.index(name), mark(name)
    subnet = Subnet(
        cidr="127.0.0.0/24",
        addresses=(Address(address=address(name)),),
        service_providers=(load_balancer(name),),
    )
    return Instance(
        uuid=f"55555555-0000-4000-8000-00000000000{number}",
        project_id=f"{m}project",
        name=f"{m}name",
        hostname=f"{m}host",
        availability_zone=f"{m}zone",
        metadata={f"{m}key": f"{m}value"},
        keypair=Keypair(name=f"{m}keypair", public_key=f"{m}public", as_booted=f"{m}as-booted"),
        user_data=base64.b64encode(f"{m}user-data".encode()).decode(),
        flavor=f"{m}flavor",
        reservation_id=f"{m}reservation",
        boot_roles=f"{m}roles",
        security_groups=(f"{m}group-1", f"{m}group-2"),
        interfaces=(
            Interface(
                port_id=f"{m}port",
                mac=f"fa:16:3e:00:00:0{number}",
                device_name=f"{m}tap",
                network=Network(id=f"{m}network", subnets=(subnet,)),
            ),
        ),
        root_device_name=f"/dev/{m}root",
        default_swap_device=f"/dev/{m}swap",
        block_devices=(BlockDevice(device_name=f"/dev/{m}volume"),),
        devices=(
            Nic(mac=f"fa:16:3e:00:00:0{number}", address=f"{m}slot", tags=(f"{m}tag",)),
            Disk(serial=f"{m}serial", path=f"/dev/{m}disk"),
        ),
        network_config=f"{m}network-config",
    )


def marks_in(data: bytes) -> set[str]:
    """Whose marks are in there."""
    return {name.decode() for name in _MARK.findall(data)}
