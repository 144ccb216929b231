"""The clients that providers share, made when the first of them asks."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from keystoneauth1 import loading
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from oslo_config import cfg

from firstlight.conf import ConfigError, provider_neutron
from firstlight.conf.service_auth import GROUP
from firstlight.vendordata.contract import Need
from firstlight.vendordata.openstack import Cloud, CloudCache
from firstlight.vendordata.openstack.endpoints import ENDPOINTS, Endpoint
from firstlight.vendordata.openstack.service import Service
from firstlight.vendordata.vault.opening import open_vault

if TYPE_CHECKING:
    from firstlight.vendordata.vault.secrets import Vault


_PATIENCE = 4.5  # seconds for a call, where the section says nothing


class ConfiguredClients:
    """Clients with the credentials of ``[service_auth]``, and of ``[vault]``.

    See :class:`firstlight.vendordata.contract.Clients` for what they promise.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._kept = CloudCache()

    def session(self) -> Session:
        """The one session."""
        return self._session

    def cloud(self, needs: Iterable[Need]) -> Cloud:
        """Look-ups of what is needed."""
        return Cloud({need: self._service(need) for need in needs if need in ENDPOINTS}, self._kept)

    def vault(self) -> "Vault":
        """The one Vault."""
        return self._vault

    def close(self) -> None:
        """Let go of what renews itself."""
        if "_vault" in vars(self):
            self._vault.close()

    @cached_property
    def _session(self) -> Session:
        return open_session(self._conf, GROUP)

    @cached_property
    def _vault(self) -> "Vault":
        return open_vault(self._conf)

    def _service(self, need: Need) -> Service:
        endpoint = ENDPOINTS[need]
        if need is Need.PORTS and self._conf[provider_neutron.GROUP].auth_type:
            return self._neutron(endpoint)
        adapter = Adapter(
            self._session,
            service_type=endpoint.service_type,
            interface=self._conf.firstlight.cloud_interface,
            region_name=self._conf.firstlight.cloud_region,
            default_microversion=endpoint.microversion,
        )
        return _service(endpoint, adapter, GROUP, self._session.timeout or _PATIENCE)

    def _neutron(self, endpoint: Endpoint) -> Service:
        """With credentials of its own, as in a pcss-vendor-metadata.ini."""
        group = provider_neutron.GROUP
        adapter = loading.load_adapter_from_conf_options(
            self._conf, group, session=open_session(self._conf, group)
        )
        if adapter.connect_retries is None:
            adapter.connect_retries = self._conf[group].retries
        return _service(endpoint, adapter, group, self._conf[group].request_timeout)


def _service(endpoint: Endpoint, adapter: Adapter, credentials: str, timeout: float) -> Service:
    return Service(
        adapter,
        name=endpoint.name,
        version=endpoint.version,
        rights=endpoint.rights,
        credentials=credentials,
        timeout=timeout,
    )


def open_session(conf: cfg.ConfigOpts, group: str) -> Session:
    """A session with the credentials of the section `group`; nothing is sent yet.

    Raises:
        ConfigError: the section names none that can be used.
    """
    if not conf[group].auth_type:
        raise ConfigError(
            f"[{group}] auth_type is not set: a provider needs credentials to look things up; "
            "set it (password is usual) and the user's name and password"
        )
    # A call that outlasts the deadline helps nobody.
    timeout = min(conf.api_timeout, conf.firstlight.provider_deadline)
    conf.set_default("timeout", timeout, group)
    try:
        auth = loading.load_auth_from_conf_options(conf, group)
        session: Session = loading.load_session_from_conf_options(conf, group, auth=auth)
    except (ClientException, cfg.Error) as error:
        raise ConfigError(f"[{group}]: {error}") from error
    return session
