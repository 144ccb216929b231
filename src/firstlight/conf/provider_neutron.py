"""``[neutron]`` of a pcss-vendor-metadata.ini: credentials of their own for asking about ports.

Without `auth_type` here those of ``[service_auth]`` are used. The section of a nova.conf that has
the same name is :mod:`firstlight.conf.neutron`.
"""

from oslo_config import cfg

GROUP = "neutron"

OPTIONS = [
    cfg.IntOpt(
        "retries", default=3, min=0, help="Attempts after the first, if Neutron cannot be reached."
    ),
    cfg.FloatOpt(
        "request_timeout",
        default=45,
        min=0.1,
        help="Seconds for one call. The time that the request has left counts as well.",
    ),
]


def options() -> list[tuple[str, list[cfg.Opt]]]:
    """What is known before `auth_type` is read."""
    from keystoneauth1 import loading

    adapter = loading.get_adapter_conf_options(include_deprecated=False)
    cfg.set_defaults(adapter, service_type="network", valid_interfaces=["internal", "public"])
    session = loading.get_session_conf_options()
    auth = loading.get_auth_common_conf_options()
    return [(GROUP, [*OPTIONS, *session, *auth, *adapter])]


def sample() -> list[tuple[str, list[cfg.Opt]]]:
    """What the sample file shows: with the options of the usual `auth_type`, password."""
    from keystoneauth1 import loading

    [(group, common)] = options()
    return [(group, [*common, *loading.get_auth_plugin_conf_options("password")])]
