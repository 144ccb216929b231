"""``[vendordata_dynamic_auth]`` of a nova.conf: keystoneauth's options, who asks the targets.

Functions, not a list: keystoneauth comes with an extra, which a host that only keeps the store does
not have.
"""

from oslo_config import cfg

GROUP = "vendordata_dynamic_auth"


def is_used(conf: cfg.ConfigOpts) -> bool:
    """Whether anything of it is looked at: without dynamic targets no token is needed."""
    return "DynamicJSON" in conf.api.vendordata_providers


def options() -> list[tuple[str, list[cfg.Opt]]]:
    """What is known before `auth_type` is read."""
    from keystoneauth1 import loading

    session = loading.get_session_conf_options()
    return [(GROUP, [*session, *loading.get_auth_common_conf_options()])]


def sample() -> list[tuple[str, list[cfg.Opt]]]:
    """What the sample file shows: with the options of the usual `auth_type`, password."""
    from keystoneauth1 import loading

    [(group, common)] = options()
    return [(group, [*common, *loading.get_auth_plugin_conf_options("password")])]
