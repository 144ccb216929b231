"""How Neutron is told who asks, and where it is: ``[neutron]``, keystoneauth's options."""

from keystoneauth1 import exceptions, loading
from keystoneauth1.adapter import Adapter
from keystoneauth1.plugin import BaseAuthPlugin
from oslo_config import cfg

from firstlight.openstack.cancellable import transport

GROUP = "neutron"
# Of one read from Keystone, where the option is unset. Nova then waits for ever.
_KEYSTONE_SECONDS = 10
_INTERFACES = ("public", "internal", "admin")


class NeutronMisconfigured(ValueError):
    """``[neutron]`` cannot be used as it stands; the message says why and what to set."""


def open_adapter(conf: cfg.ConfigOpts, pool_size: int) -> Adapter:
    """The process's way to Neutron, with a token and connections that are used again.

    Nothing is sent yet.

    Args:
        conf: with the options of ``[neutron]`` registered (:mod:`firstlight.conf.neutron`).
        pool_size: connections that are kept for reuse.

    Raises:
        NeutronMisconfigured: no `auth_type`, none of that name, or an option is missing or wrong.
    """
    section = conf[GROUP]
    for interface in section.valid_interfaces:
        if interface not in _INTERFACES:
            raise NeutronMisconfigured(
                f"[{GROUP}] valid_interfaces: {interface} is none of {', '.join(_INTERFACES)}"
            )
    tls = {name: section[name] for name in ("tls_ciphers", "tls_min_version") if name in section}
    session = loading.load_session_from_conf_options(
        conf,
        GROUP,
        auth=_auth(conf),
        session=transport(pool_size, **tls),
        timeout=section.timeout or _KEYSTONE_SECONDS,
        collect_timing=False,  # keystoneauth would collect for as long as the process lives
    )
    return Adapter(
        session,
        service_type=section.service_type,
        service_name=section.service_name,
        interface=section.valid_interfaces,
        region_name=section.region_name,
        endpoint_override=section.endpoint_override,
    )


def _auth(conf: cfg.ConfigOpts) -> BaseAuthPlugin:
    try:
        # Once more, now that the files are read: `auth_section` may name another section.
        loading.register_auth_conf_options(conf, GROUP)
        auth = loading.load_auth_from_conf_options(conf, GROUP)
    except (exceptions.AuthPluginException, cfg.Error, ValueError) as error:
        raise NeutronMisconfigured(f"[{GROUP}]: {error}") from error
    if auth is None:
        raise NeutronMisconfigured(
            f"[{GROUP}] auth_type is not set: Neutron is asked with the service's own credentials; "
            "set it (password is usual) and auth_url, username, password and project_name"
        )
    return auth
