"""``[relay]`` and ``[DEFAULT]``: where guests ask, as far as the broker has to know."""

from oslo_config import cfg, types

OPTIONS = [
    (
        "DEFAULT",
        [
            cfg.PortOpt(
                "metadata_port",
                default=9697,
                help="Where routers redirect guests' requests to; of Neutron's L3 agent.",
            ),
        ],
    ),
    (
        "relay",
        [
            cfg.StrOpt(
                "broker_socket",
                default="/run/firstlight/broker.sock",
                help="The unix socket by which the broker hands listening sockets to the proxy.",
            ),
            cfg.StrOpt(
                "proxy_user",
                default="firstlight-relay",
                help="The user the proxy runs as; nobody else but root gets sockets of the broker.",
            ),
            cfg.StrOpt(
                "netns_directory",
                default="/run/netns",
                help="Where network namespaces have their names.",
            ),
            cfg.ListOpt(
                "namespaces",
                default=["qdhcp", "qrouter", "ovnmeta"],
                item_type=types.String(choices=["qdhcp", "qrouter", "ovnmeta"]),
                help="""
Kinds of namespaces in which guests are listened to: isolated networks, routers, networks of OVN.
""",
            ),
        ],
    ),
]
