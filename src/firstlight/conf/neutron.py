"""``[neutron]`` of a nova.conf: how the service knows who is asking, and how it asks Neutron.

Functions, not a list: keystoneauth comes with an extra, which a host that only keeps the store does
not have.
"""

from oslo_config import cfg

GROUP = "neutron"

OPTIONS = [
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
    cfg.IntOpt(
        "http_retries",
        default=3,
        min=0,
        help="""
Attempts after the first, if Neutron cannot be reached. They all have to fit into [firstlight]
neutron_deadline.
""",
    ),
]

# The rest of keystoneauth's adapter options is about things that Nova does not leave to operators.
_ADAPTER = {"service_type", "service_name", "valid_interfaces", "region_name", "endpoint_override"}


def options() -> list[tuple[str, list[cfg.Opt]]]:
    """What is known before `auth_type` is read."""
    from keystoneauth1 import loading

    session = loading.get_session_conf_options()
    return [
        (GROUP, [*OPTIONS, *session, *loading.get_auth_common_conf_options(), *_adapter_options()])
    ]


def sample() -> list[tuple[str, list[cfg.Opt]]]:
    """What the sample file shows: with the options of the usual `auth_type`, password."""
    from keystoneauth1 import loading

    [(group, common)] = options()
    return [(group, [*common, *loading.get_auth_plugin_conf_options("password")])]


def _adapter_options() -> list[cfg.Opt]:
    """Those of keystoneauth's that Nova knows, with its defaults."""
    from keystoneauth1 import loading

    known = loading.get_adapter_conf_options(include_deprecated=False)
    adapter = [option for option in known if option.dest in _ADAPTER]
    cfg.set_defaults(adapter, service_type="network", valid_interfaces=["internal", "public"])
    return adapter
