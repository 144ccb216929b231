"""What the proxy alone reads: ``[relay]``, and Neutron's ``[metadata_rate_limiting]``."""

from oslo_config import cfg, types

_RATE = "metadata_rate_limiting"

OPTIONS = [
    (
        "relay",
        [
            cfg.StrOpt(
                "agent_socket",
                default="",
                help="""
The unix socket of a Neutron metadata agent that is to answer what guests ask
(/var/lib/neutron/metadata_proxy). Empty: this process answers it by itself, as firstlight agent
does, without a hop in between.
""",
            ),
            cfg.FloatOpt(
                "guest_rate",
                default=50,
                min=0,
                help="""
Requests a second that one guest may ask in the long run, over IPv4 and IPv6 together; past it the
answer is 429. 0: as many as it likes.
""",
            ),
            cfg.IntOpt(
                "guest_burst",
                default=500,
                min=1,
                help="Requests that a silent guest may ask at once; a boot asks about 30.",
            ),
        ],
    ),
    (
        _RATE,
        [
            cfg.BoolOpt(
                "rate_limit_enabled",
                default=False,
                help="""
Also count requests as Neutron's proxies do, in two windows; a guest that is over either gets 429.
""",
            ),
            cfg.ListOpt(
                "ip_versions",
                default=[4],
                item_type=types.Integer(choices=[4, 6]),
                help="Versions of IP whose requests count. With 4 and 6 both count together.",
            ),
            cfg.IntOpt(
                "base_window_duration",
                default=10,
                min=1,
                help="Length of the longer window, in seconds.",
            ),
            cfg.IntOpt(
                "base_query_rate_limit",
                default=10,
                min=1,
                help="Requests of one guest that are answered in the longer window.",
            ),
            cfg.IntOpt(
                "burst_window_duration",
                default=10,
                min=1,
                help="Length of the shorter window, in seconds.",
            ),
            cfg.IntOpt(
                "burst_query_rate_limit",
                default=10,
                min=1,
                help="Requests of one guest that are answered in the shorter window.",
            ),
        ],
    ),
]
