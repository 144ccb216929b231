"""Kinds that differ in their network interfaces."""

from lab.kinds.kind import Kind, address, identifier, interface, server

# Every binding:vif_type Nova 34 knows, those guests may see by name first.
VIF_TYPES = [
    "bridge",
    "dvs",
    "hw_veb",
    "hyperv",
    "ovs",
    "tap",
    "vhostuser",
    "vif",
    "ivs",
    "iovisor",
    "802.1qbg",
    "802.1qbh",
    "hostdev_physical",
    "ib_hostdev",
    "midonet",
    "vrouter",
    "other",
    "macvtap",
    "agilio_ovs",
    "binding_failed",
    "unbound",
]

ROUTES = [
    {"cidr": "172.16.0.0/16", "gateway": "10.0.0.9"},
    {"cidr": "192.168.7.0/25", "gateway": "10.0.0.10"},
    {"cidr": "198.51.100.7/32", "gateway": "10.0.0.11"},
]

INJECTED = """\
# Injected by Nova on instance boot
#
# This file describes the network interfaces available on your system
# and how to activate them. For more information, see interfaces(5).

# The loopback network interface
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
    hwaddress ether fa:16:3e:00:00:01
    address 10.0.0.5
    netmask 255.255.255.0
    broadcast 10.0.0.255
    gateway 10.0.0.1
    dns-nameservers 8.8.8.8 8.8.4.4
iface eth0 inet6 static
    hwaddress ether fa:16:3e:00:00:01
    address 2001:db8:1::5
    netmask 64
    gateway 2001:db8:1::1
"""


def static(number: int = 0, **fields: object) -> dict[str, object]:
    """A subnet without DHCP, with one address."""
    return {"cidr": f"10.0.{number}.0/24", "addresses": [address(f"10.0.{number}.5")], **fields}


def static6(number: int = 1, **fields: object) -> dict[str, object]:
    """The same for IPv6."""
    prefix = f"2001:db8:{number}::"
    return {"cidr": f"{prefix}/64", "addresses": [address(f"{prefix}5")], **fields}


NETWORKS = [
    Kind(
        "static-dual",
        server(
            50,
            interfaces=[
                interface(
                    1,
                    static(gateway="10.0.0.1", dns=["8.8.8.8", "8.8.4.4"], routes=ROUTES),
                    static6(
                        gateway="2001:db8:1::1",
                        dns=["2001:4860:4860::8888"],
                        routes=[{"cidr": "2001:db8:7::/48", "gateway": "2001:db8:1::9"}],
                    ),
                ),
                interface(2, static(2, dns=["8.8.4.4", "9.9.9.9"])),
                interface(3, static6(3)),
            ],
        ),
    ),
    Kind(
        "ipv6-modes",
        server(
            51,
            interfaces=[
                interface(
                    number,
                    static6(
                        number,
                        ipv6_address_mode=mode,
                        enable_dhcp=True,
                        gateway=f"2001:db8:{number}::1",
                        dns=["2001:4860:4860::8888"],
                    ),
                )
                for number, mode in enumerate(("slaac", "dhcpv6-stateful", "dhcpv6-stateless"), 1)
            ]
            + [
                interface(4, static6(4, enable_dhcp=True)),
                interface(5, static6(5, ipv6_address_mode="slaac", dhcp_server="2001:db8:5::2")),
            ],
        ),
    ),
    Kind(
        "dhcp",
        server(
            52,
            interfaces=[
                interface(1, static(1, enable_dhcp=True, dhcp_server="10.0.1.2", dns=["8.8.8.8"])),
                interface(2, static(2, enable_dhcp=True, gateway="10.0.2.1")),
                interface(3, static(3), static6(3, dhcp_server="2001:db8:3::2")),
                interface(4, static(4, dhcp_server="10.0.4.2"), static6(4)),
            ],
        ),
    ),
    Kind(
        "odd-interfaces",
        server(
            53,
            interfaces=[
                interface(1, network=None),
                interface(2),  # a network without subnets
                interface(3, {"cidr": "10.0.3.0/24", "dns": ["1.1.1.1"]}),  # without an address
                interface(4, static6(4), static(4, dns=["8.8.8.8"]), device_name=None),
                interface(
                    5,
                    static(
                        5, addresses=[address("10.0.5.9"), address("10.0.5.5")], dns=["8.8.8.8"]
                    ),
                    static(55),
                    static6(5),
                    static6(56),
                    mac="FA:16:3E:00:00:05",
                ),
                interface(
                    6,
                    network={
                        "id": identifier(6, 3),
                        "subnets": [
                            {"cidr": "10.0.6.128/29", "addresses": [address("10.0.6.130")]}
                        ],
                    },
                    device_name=None,
                ),
            ],
        ),
    ),
    Kind("only-a-bare-port", server(54, interfaces=[interface(1, network=None)])),
    Kind(
        "vif-types",
        server(
            55,
            interfaces=[
                interface(number, static(number), vif_type=name)
                for number, name in enumerate(VIF_TYPES, 1)
            ],
        ),
    ),
    Kind(
        "floating",
        server(
            56,
            interfaces=[
                interface(1, static6(1), static(1)),
                interface(
                    2,
                    static(
                        2,
                        addresses=[
                            address("10.0.2.5"),
                            address("10.0.2.6", "203.0.113.9", "203.0.113.3"),
                        ],
                    ),
                ),
                interface(3, static(3, addresses=[address("10.0.3.5", "203.0.113.1")])),
            ],
        ),
    ),
    Kind("ipv6-only", server(57, interfaces=[interface(1, static6(1, enable_dhcp=True))])),
    Kind(
        "injected",
        server(
            58,
            interfaces=[
                interface(
                    1,
                    static(gateway="10.0.0.1", dns=["8.8.8.8", "8.8.4.4"]),
                    static6(gateway="2001:db8:1::1"),
                ),
            ],
            network_config=INJECTED,
        ),
        told={"injected": True},
    ),
    Kind("empty-network-info", server(59), told={"empty_network_info": True}),
]
