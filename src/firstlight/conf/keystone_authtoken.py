"""``[keystone_authtoken]``: keystonemiddleware's options, how callers' tokens are checked.

Functions, not a list: keystonemiddleware comes with an extra.
"""

from oslo_config import cfg

GROUP = "keystone_authtoken"

# Our defaults. Nova stops reading after 5 seconds, and keystonemiddleware's own patience (no limit
# to a call, three retries half a second and more apart) would outlast that.
DEFAULTS = {"http_connect_timeout": 3, "http_request_max_retries": 1}


def options() -> list[tuple[str, list[cfg.Opt]]]:
    """What is known before `auth_type` is read."""
    from keystonemiddleware.auth_token import list_opts

    return [(group, list(opts)) for group, opts in list_opts()]


def sample() -> list[tuple[str, list[cfg.Opt]]]:
    """What the sample file shows: our defaults, and the options of the usual `auth_type`."""
    from keystoneauth1 import loading

    ((group, opts),) = options()  # copies
    for option in opts:
        option.default = DEFAULTS.get(option.dest, option.default)
    return [(group, [*opts, *loading.get_auth_plugin_conf_options("password")])]
