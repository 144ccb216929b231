"""``[neutron]`` of a nova.conf: how the service knows who is asking."""

from oslo_config import cfg

OPTIONS = [
    (
        "neutron",
        [
            cfg.BoolOpt(
                "service_metadata_proxy",
                default=False,
                help="""
Believe the signed headers of a metadata proxy (Neutron's metadata agent, or ``firstlight agent``).
If false, the server is found by the address the request comes from.
""",
            ),
            cfg.StrOpt(
                "metadata_proxy_shared_secret",
                default="",
                secret=True,
                help="""
The key both sides sign with; the same value as in the metadata agent's file. An empty secret is a
secret that everybody knows.
""",
            ),
        ],
    )
]
