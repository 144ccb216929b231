"""One way to write each address, MAC and base64, so that equal things compare equal."""

import ipaddress

import msgspec

from firstlight.instance import Address, Instance, Interface, Route, Subnet


def solid(text: str) -> str:
    """Base64 without the line ends that base64(1) puts in."""
    return "".join(text.split())


def canonical_address(text: str) -> str:
    """The one way to write this address (RFC 5952 for IPv6).

    Raises:
        ValueError: it is none.
    """
    return str(ipaddress.ip_address(text))


def canonical(instance: Instance) -> Instance:
    """The instance with its addresses, MACs and base64 in their one form; valid ones only."""
    return msgspec.structs.replace(
        instance,
        user_data=None if instance.user_data is None else solid(instance.user_data),
        interfaces=tuple(map(_interface, instance.interfaces)),
    )


def _interface(interface: Interface) -> Interface:
    network = interface.network
    if network is not None:
        subnets = tuple(map(_subnet, network.subnets))
        network = msgspec.structs.replace(network, subnets=subnets)
    return msgspec.structs.replace(interface, mac=interface.mac.lower(), network=network)


def _subnet(subnet: Subnet) -> Subnet:
    return msgspec.structs.replace(
        subnet,
        cidr=str(ipaddress.ip_network(subnet.cidr)),
        addresses=tuple(map(_fixed, subnet.addresses)),
        gateway=subnet.gateway and canonical_address(subnet.gateway),
        dns=tuple(map(canonical_address, subnet.dns)),
        dhcp_server=subnet.dhcp_server and canonical_address(subnet.dhcp_server),
        routes=tuple(
            Route(
                cidr=str(ipaddress.ip_network(route.cidr)),
                gateway=canonical_address(route.gateway),
            )
            for route in subnet.routes
        ),
    )


def _fixed(address: Address) -> Address:
    return Address(
        address=canonical_address(address.address),
        floating=tuple(map(canonical_address, address.floating)),
    )
