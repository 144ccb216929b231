"""``crowdstrike``: what the Falcon sensor's installation in the guest needs to know.

Everything is kept in Vault for each site, ``CROWDSTRIKE_<SITE>_…``; a server's site is its
availability zone in upper case.
"""

import logging
from collections.abc import Mapping
from typing import Any, Self

from oslo_config import cfg

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.vendordata.contract import Clients, Context, Need, Secrets
from firstlight.vendordata.openstack import Cloud
from firstlight.vendordata.providers.backed import ByCloudAndVault, max_age

LOG = ThrottledLog(logging.getLogger(__name__))

_ZONE = "OS-EXT-AZ:availability_zone"
_TRUE = {"1", "true", "yes", "on"}


class Crowdstrike(ByCloudAndVault):
    """The sensor's settings; nothing for a site that has no CID, no installer, or is disabled."""

    options = (
        cfg.StrOpt(
            "prefix",
            default="CROWDSTRIKE",
            help="What the keys in Vault begin with: ``<prefix>_<SITE>_CID`` and so on.",
        ),
        max_age(60, "So long a change in Vault may take to show."),
    )
    needs = frozenset({Need.SERVER, Need.SECRETS})

    def __init__(self, cloud: Cloud, vault: Secrets, *, prefix: str, max_age: int) -> None:
        super().__init__(cloud, vault, max_age=max_age)
        self._prefix = prefix

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        return cls(
            clients.cloud(cls.needs), clients.vault(), prefix=conf.prefix, max_age=conf.max_age
        )

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        server = self._cloud.server(context)
        zone = server.get(_ZONE) if server else None
        if not zone:
            return None
        site = _Site(self._vault, f"{self._prefix}_{str(zone).upper()}")
        if not site.says("CID") or not site.is_true("ENABLED", default=True):
            return None
        if not site.installer():
            LOG.error("Vault has a CrowdStrike CID for %s, but no installer's URL", zone)
            return None
        return site.settings()


class _Site:
    """What Vault says of one site."""

    def __init__(self, vault: Secrets, prefix: str) -> None:
        self._vault = vault
        self._prefix = prefix

    def says(self, what: str) -> Any:
        return self._vault.get(f"{self._prefix}_{what}")

    def is_true(self, what: str, *, default: bool) -> bool:
        value = self.says(what)
        return default if value is None else str(value).strip().lower() in _TRUE

    def installer(self) -> Any:
        return self.says("INSTALLER_URL_DEB") or self.says("INSTALLER_URL_RPM")

    def settings(self) -> dict[str, Any]:
        always = {
            "cid": self.says("CID"),
            "installer_url": self.installer(),
            "enabled": True,
            "fail_if_missing": self.is_true("FAIL_IF_MISSING", default=False),
        }
        optional = ("PROVISIONING_TOKEN", "TAGS", "INSTALLER_URL_DEB", "INSTALLER_URL_RPM")
        return always | {what.lower(): said for what in optional if (said := self.says(what))}
