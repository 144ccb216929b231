"""``[relay]``: how the relay finds out which server asks."""

from oslo_config import cfg

OPTIONS = [
    (
        "relay",
        [
            cfg.StrOpt(
                "resolver",
                default="auto",
                choices=[
                    ("auto", "what the files imply, see below"),
                    ("neutron-rpc", "Neutron's message bus, as its own metadata agent asks"),
                    ("neutron-rest", "Neutron's API, with the user of [neutron]"),
                    ("ovn", "OVN's southbound database, [ovn] ovn_sb_connection"),
                    ("store", "the embedded store, [store] connection"),
                ],
                help="""
Who is asked which server has an address. "auto": ovn if a file sets [ovn] ovn_sb_connection, else
neutron-rest if one sets [neutron] auth_type, else store if one sets [store] connection, else
neutron-rpc.
""",
            ),
            cfg.FloatOpt(
                "resolver_deadline",
                default=4.0,
                min=0.1,
                help="""
Seconds within which the resolver has to answer one question; beyond them it counts as away.
""",
            ),
            cfg.FloatOpt(
                "identity_seconds",
                default=10.0,
                min=0,
                max=300,
                help="""
Seconds for which it is remembered which port has an address. The proxy uses that only while the
kernel's neighbour table in the network namespace shows a MAC of that server at the address, and
asks the resolver again otherwise. Where the table cannot be seen, which is behind haproxy, it
counts for 1 second at most, as do the networks of a router. 0 asks each time.
""",
            ),
            cfg.FloatOpt(
                "nobody_seconds",
                default=2.0,
                min=0,
                max=300,
                help="""
Seconds for which it is believed that no port has an address, or that several have it.
""",
            ),
            cfg.FloatOpt(
                "identity_stale_seconds",
                default=86400.0,
                min=0,
                help="""
Seconds for which a server is still recognised while the resolver is away and the network
namespace's neighbour table shows the MAC of its port. 0 never.
""",
            ),
            cfg.IntOpt(
                "identities",
                default=100000,
                min=100,
                help="""
Servers that are remembered, some 0.7 KB each; as many addresses again that are nobody's.
""",
            ),
        ],
    )
]
