"""The clients that providers share, made when the first of them asks."""

from functools import cached_property

from keystoneauth1 import loading
from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.conf.service_auth import GROUP


class ConfiguredClients:
    """Clients with the credentials of ``[service_auth]``."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    def session(self) -> Session:
        """The one session; see :class:`firstlight.vendordata.contract.Clients`."""
        return self._session

    @cached_property
    def _session(self) -> Session:
        if not self._conf[GROUP].auth_type:
            raise ConfigError(
                f"[{GROUP}] auth_type is not set: a provider needs credentials to look things up; "
                "set it (password is usual) and the user's name and password"
            )
        # A call that outlasts the deadline helps nobody.
        self._conf.set_default("timeout", self._conf.firstlight.provider_deadline, GROUP)
        try:
            auth = loading.load_auth_from_conf_options(self._conf, GROUP)
            session: Session = loading.load_session_from_conf_options(self._conf, GROUP, auth=auth)
        except (ClientException, cfg.Error) as error:
            raise ConfigError(f"[{GROUP}]: {error}") from error
        return session
