"""One kind of server: what our document says of it, and what only Nova's records can say."""

from dataclasses import dataclass, field
from typing import Any

PROJECT = "f7ac731cc11f40efbc03a9f9e1d1d21f"
REQUESTER = "192.0.2.77"


@dataclass(frozen=True)
class Kind:
    """`instance` is an instance document; Nova is told the same, plus `told`.

    Attributes:
        ports: the security groups of each Neutron port; None: one port that carries them all.
        told: peculiarities of Nova's records that our document has no words for.
        requester: who asks (``X-Forwarded-For``); None: nobody says.
    """

    name: str
    instance: dict[str, Any]
    ports: tuple[tuple[str, ...], ...] | None = None
    told: dict[str, Any] = field(default_factory=dict)
    requester: str | None = REQUESTER

    @property
    def port_groups(self) -> tuple[tuple[str, ...], ...]:
        """The security groups port by port."""
        return self.ports or (tuple(self.instance.get("security_groups", ())),)


def identifier(number: int, family: int = 0) -> str:
    """A UUID that a reader recognises: servers are family 0, images 1, ports 2, networks 3."""
    return f"{family:08x}-0000-4000-8000-{number:012x}"


def server(number: int, **fields: Any) -> dict[str, Any]:
    """An instance document with the fields no server is without."""
    return {
        "uuid": identifier(number),
        "project_id": PROJECT,
        "name": f"server {number}",
        "hostname": f"server-{number}",
        "flavor": "m1.tiny",
        "image_id": identifier(1, 1),
        "ec2_ids": {"instance": number, "image": 1},
        **fields,
    }


def interface(number: int, *subnets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A port on a network of its own with these subnets."""
    port = identifier(number, 2)
    return {
        "port_id": port,
        "mac": f"fa:16:3e:00:00:{number:02x}",
        "device_name": f"tap{port[:9]}{number:02x}",
        "network": {"id": identifier(number, 3), "mtu": 1450, "subnets": list(subnets)},
        **fields,
    }


def address(text: str, *floating: str) -> dict[str, Any]:
    """A fixed address and the floating ones that lead to it."""
    return {"address": text, **({"floating": list(floating)} if floating else {})}
