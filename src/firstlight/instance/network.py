"""The network half of an instance, as Neutron and Nova's network info cache know it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

MacAddress = Annotated[
    str,
    Meta(
        pattern="^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$",
        description="six colon-separated octets",
        examples=["fa:16:3e:9c:bf:3d"],
    ),
]
Mtu = Annotated[int, Meta(ge=1, le=65535)]


class Address(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One fixed address of a port, with the floating addresses that lead to it."""

    address: str
    floating: tuple[str, ...] = ()


class Route(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A host route of a subnet: `cidr` is reached through `gateway`."""

    cidr: str
    gateway: str


class Subnet(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A subnet as one port sees it: `addresses` are that port's own."""

    cidr: str
    addresses: tuple[Address, ...] = ()
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    dhcp_server: Annotated[
        str | None, Meta(description="address of the network's DHCP-agent port, where one is known")
    ] = None
    enable_dhcp: bool = False
    ipv6_address_mode: Literal["slaac", "dhcpv6-stateful", "dhcpv6-stateless"] | None = None
    service_providers: Annotated[
        tuple[str, ...],
        Meta(
            description="Neutron's advanced_service_providers: load balancers that may ask for it"
        ),
    ] = ()

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.cidr else 4


class Network(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A Neutron network as one port sees it."""

    id: str
    mtu: Mtu | None = None
    subnets: tuple[Subnet, ...] = ()


class Interface(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One port of the server (Nova says VIF)."""

    port_id: str
    mac: MacAddress
    vif_type: Annotated[str, Meta(description="Neutron's binding:vif_type")] = "ovs"
    device_name: Annotated[
        str | None, Meta(description="the host's device, such as tapcd9f6d46-4a")
    ] = None
    network: Network | None = None
