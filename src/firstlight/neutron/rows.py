"""What is read of Neutron's resources. The fields are those that are asked for."""

from typing import ClassVar

from msgspec import Struct


class NeutronRow(Struct, frozen=True):
    """One resource of a list; PATH and NAME are the list's in requests and in answers."""

    PATH: ClassVar[str]
    NAME: ClassVar[str]


class Owner(NeutronRow, frozen=True):
    """A port, as far as its owner goes."""

    PATH: ClassVar[str] = "ports"
    NAME: ClassVar[str] = "ports"

    device_id: str = ""
    tenant_id: str = ""  # `project_id` under the name that every release knows


class Membership(NeutronRow, frozen=True):
    """A port, as far as its groups go."""

    PATH: ClassVar[str] = "ports"
    NAME: ClassVar[str] = "ports"

    security_groups: tuple[str, ...] = ()  # ids
    device_id: str = ""


class NeutronSubnet(NeutronRow, frozen=True):
    """A subnet, as far as its network goes."""

    PATH: ClassVar[str] = "subnets"
    NAME: ClassVar[str] = "subnets"

    network_id: str


class Group(NeutronRow, frozen=True):
    """A security group."""

    PATH: ClassVar[str] = "security-groups"
    NAME: ClassVar[str] = "security_groups"

    id: str
    name: str | None = None

    @property
    def shown(self) -> str:
        """What guests are told: the name, or the id of a group that has none."""
        return self.name or self.id
