"""What a nova-pollinate.conf may hold beside ``[service_auth]`` and ``[vault]``."""

from oslo_config import cfg

OPTIONS = [
    (
        "DEFAULT",
        [
            cfg.IntOpt(
                "api_timeout",
                default=10,
                min=1,
                help="""
Seconds for one call to an OpenStack API, if [service_auth] timeout is not set. The time that a
request has left ([firstlight] provider_deadline) counts as well.
""",
            ),
        ],
    ),
    (
        "flask",
        [
            cfg.HostAddressOpt(
                "host",
                default="0.0.0.0",  # noqa: S104  (Pollinate's default)
                help="Address to listen on as nova-pollinate.",
            ),
            cfg.PortOpt("port", default=8612, help="Port to listen on as nova-pollinate."),
            cfg.StrOpt(
                "secret_key",
                secret=True,
                help="Read so that nova-pollinate's files start unchanged; not used.",
            ),
        ],
    ),
]
