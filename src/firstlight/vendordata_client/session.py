"""How targets are told who asks: ``[vendordata_dynamic_auth]``, keystoneauth's options."""

import logging

from keystoneauth1 import exceptions, loading
from keystoneauth1.session import Session
from oslo_config import cfg

from firstlight.openstack.cancellable import transport

LOG = logging.getLogger(__name__)

GROUP = "vendordata_dynamic_auth"
# Of one read from Keystone, where the option is unset. Nova then waits for ever.
_KEYSTONE_SECONDS = 10


class AuthMisconfigured(ValueError):
    """``[vendordata_dynamic_auth]`` cannot be used as it stands; the message says why."""


def open_session(conf: cfg.ConfigOpts, pool_size: int) -> Session:
    """The process's session, with which targets and Keystone are called.

    Nothing is sent yet; the token is fetched with the first question. Without `auth_type` the
    targets are called without a token, which is warned about here, once.

    Args:
        conf: with the options of ``[vendordata_dynamic_auth]`` registered.
        pool_size: connections per host that are kept for reuse.

    Raises:
        AuthMisconfigured: no such `auth_type`, or an option it needs is missing or wrong.
    """
    try:
        # Once more, now that the files are read: `auth_section` may name another section.
        loading.register_auth_conf_options(conf, GROUP)
        auth = loading.load_auth_from_conf_options(conf, GROUP)
    except (exceptions.AuthPluginException, cfg.Error, ValueError) as error:
        raise AuthMisconfigured(f"[{GROUP}]: {error}") from error
    if auth is None:
        LOG.warning(
            "vendordata targets are called without a token, because [%s] auth_type is not set",
            GROUP,
        )
    section = conf[GROUP]
    tls = {name: section[name] for name in ("tls_ciphers", "tls_min_version") if name in section}
    return loading.load_session_from_conf_options(
        conf,
        GROUP,
        auth=auth,
        session=transport(pool_size, **tls),
        timeout=section.timeout or _KEYSTONE_SECONDS,
        collect_timing=False,  # keystoneauth would collect for as long as the process lives
    )
