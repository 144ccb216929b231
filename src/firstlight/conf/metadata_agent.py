"""``[DEFAULT]`` and ``[AGENT]`` of Neutron's metadata agents, ML2/OVS and OVN alike.

``metadata_workers`` is not among them: it counts Neutron's threads, of which this needs none.
"""

from oslo_config import cfg

from firstlight.conf import common

_NAMES = [option for option in common.OPTIONS[0][1] if option.dest != "state_path"]

OPTIONS = [
    (
        "DEFAULT",
        [
            *_NAMES,
            cfg.StrOpt(
                "state_path",
                default="/var/lib/neutron",
                help="Neutron's directory; other options may refer to it as $state_path.",
            ),
            cfg.StrOpt(
                "metadata_proxy_socket",
                default="$state_path/metadata_proxy",
                help="The unix socket that the proxies in the namespaces speak to.",
            ),
            cfg.StrOpt(
                "metadata_proxy_user",
                default="",
                help="User (name or number) the proxies run as; empty: the agent's own.",
            ),
            cfg.StrOpt(
                "metadata_proxy_group",
                default="",
                help="Group (name or number) the proxies run as; empty: the agent's own.",
            ),
            cfg.StrOpt(
                "metadata_proxy_socket_mode",
                default="deduce",
                choices=[
                    ("deduce", "by metadata_proxy_user and metadata_proxy_group"),
                    ("user", "0644: the socket's owner connects"),
                    ("group", "0664: its group as well"),
                    ("all", "0666: everybody on this host"),
                ],
                help="Who may connect to the socket.",
            ),
            cfg.IntOpt(
                "metadata_backlog",
                default=4096,
                min=1,
                help="Connections that may wait to be accepted.",
            ),
            cfg.HostAddressOpt(
                "nova_metadata_host",
                default="127.0.0.1",
                help="Where the metadata service is; [relay] upstreams may name several.",
            ),
            cfg.PortOpt("nova_metadata_port", default=8775, help="Its port."),
            cfg.StrOpt(
                "nova_metadata_protocol",
                default="http",
                choices=["http", "https"],
                help="What it speaks.",
            ),
            cfg.BoolOpt(
                "nova_metadata_insecure",
                default=False,
                help="Do not verify its certificate: whoever answers is believed.",
            ),
            cfg.StrOpt(
                "auth_ca_cert",
                help="CA bundle its certificate is verified with, PEM; unset: the system's.",
            ),
            cfg.StrOpt("nova_client_cert", default="", help="Certificate to show to it, PEM."),
            cfg.StrOpt("nova_client_priv_key", default="", help="The certificate's key, PEM."),
            cfg.IntOpt(
                "agent_down_time",
                default=75,
                min=1,
                help="Seconds after which Neutron takes an agent that is silent for dead.",
            ),
            cfg.StrOpt(
                "metadata_proxy_shared_secret",
                default="",
                secret=True,
                help="""
The key the instance's id is signed with; the same value as [neutron] metadata_proxy_shared_secret
of the metadata service. An empty secret is a secret that everybody knows.
""",
            ),
        ],
    ),
    (
        "AGENT",
        [
            cfg.FloatOpt(
                "report_interval",
                default=30,
                min=0,
                help="""
Seconds between two reports to Neutron's server, which show the agent as alive; 0: none.
""",
            ),
            cfg.BoolOpt(
                "log_agent_heartbeats",
                default=False,
                help="Whether Neutron's server logs each report.",
            ),
        ],
    ),
]
