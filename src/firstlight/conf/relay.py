"""``[relay]``: what Neutron's metadata agents and proxies never had an option for."""

from oslo_config import cfg

GROUP = "relay"

OPTIONS = [
    (
        GROUP,
        [
            cfg.ListOpt(
                "upstreams",
                default=[],
                help="""
Metadata services, each ``http://HOST:PORT`` or ``https://HOST:PORT``, asked in turn; one that does
not answer is left out for a while. Empty: the one that nova_metadata_host, nova_metadata_port and
nova_metadata_protocol name.
""",
            ),
            cfg.IntOpt(
                "upstream_connections",
                default=64,
                min=1,
                help="""
Connections to one upstream at the same time; requests past it wait for one of them.
""",
            ),
            cfg.FloatOpt(
                "connect_timeout",
                default=2.0,
                min=0.1,
                help="Seconds for an upstream to accept a connection, TLS included.",
            ),
            cfg.FloatOpt(
                "deadline",
                default=9.5,
                min=1,
                help="""
Seconds after which a guest is answered, with 504 if nothing better is known; a guest's cloud-init
waits 10. A metadata service that needs longer (slow vendor data) needs a larger value here, and
[metadata_haproxy] timeout_server above that.
""",
            ),
            cfg.IntOpt(
                "max_request",
                default=64,
                min=1,
                help="""
KiB that the body of a guest's request may have; past it the answer is 413. The metadata service
takes 64 itself, and the one body that guests send it is a password of 255 bytes.
""",
            ),
            cfg.IntOpt(
                "max_response",
                default=64,
                min=1,
                help="MiB that an upstream's response may have; past it the answer is 502.",
            ),
            cfg.BoolOpt(
                "ovn_report",
                default=False,
                help="""
On OVN: write into the southbound database that this host's metadata agent is alive, as Neutron's
OVN metadata agent does; [DEFAULT] host must be the hostname of the chassis. Only where that agent
does not run: it has the same entry in Neutron's list, and that it has died would not show.
""",
            ),
            cfg.StrOpt(
                "status_socket",
                default="$state_path/firstlight_status",
                help="The unix socket of /healthz, /readyz and /metrics; its owner and group ask. "
                "Where it cannot be made, the log says why and guests are served without it.",
            ),
            cfg.StrOpt(
                "access_log",
                default="-",
                help="File of the access log; ``-`` is standard error, empty is none.",
            ),
        ],
    )
]
