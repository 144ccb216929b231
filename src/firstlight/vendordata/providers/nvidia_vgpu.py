"""``nvidia_vgpu``: the licence token for the zones that the instance's project may use."""

from collections.abc import Mapping
from typing import Any, Self

from oslo_config import cfg

from firstlight.vendordata.contract import Clients, Context, Need, Secrets
from firstlight.vendordata.openstack import Cloud
from firstlight.vendordata.providers.backed import ByCloudAndVault, max_age


class NvidiaVgpu(ByCloudAndVault):
    """``{"license_token": …}``; nothing if there is no such project, or no such key in Vault."""

    options = (
        cfg.StrOpt(
            "zones_property",
            default="compute_zones",
            help="The property of a project that lists its zones, separated by commas.",
        ),
        cfg.DictOpt(
            "licenses",
            default={"monash": "LICENSE_TOKEN_MONASH"},
            help="``prefix:key, prefix:key``: a project with a zone of that prefix gets the token "
            "under that key in Vault; the first that fits counts.",
        ),
        cfg.StrOpt(
            "default_license",
            default="LICENSE_TOKEN_ARDC",
            help="The key for any other project; empty: it gets nothing.",
        ),
        max_age(60, "So long a new token may take to show."),
    )
    needs = frozenset({Need.PROJECT, Need.SECRETS})

    def __init__(
        self,
        cloud: Cloud,
        vault: Secrets,
        *,
        zones_property: str,
        licenses: Mapping[str, str],
        default_license: str,
        max_age: int,
    ) -> None:
        super().__init__(cloud, vault, max_age=max_age)
        self._property = zones_property
        self._licenses = dict(licenses)
        self._default = default_license

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        return cls(
            clients.cloud(cls.needs),
            clients.vault(),
            zones_property=conf.zones_property,
            licenses=conf.licenses,
            default_license=conf.default_license,
            max_age=conf.max_age,
        )

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        project = self._cloud.project(context)
        if project is None:
            return None
        key = self._key(str(project.get(self._property) or ""))
        token = self._vault.get(key) if key else None
        return {"license_token": token} if token else None

    def _key(self, listed: str) -> str:
        zones = [zone.strip() for zone in listed.split(",")]
        for prefix, key in self._licenses.items():
            if any(zone.startswith(prefix) for zone in zones):
                return key
        return self._default
