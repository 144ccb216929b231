"""``windows_product_key``: the key of the host's Windows licence, for images that are Windows."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Self

from oslo_config import cfg

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.vendordata.contract import Clients, Context, Need, ProviderFailed, Secrets
from firstlight.vendordata.openstack import Cloud
from firstlight.vendordata.providers.backed import ByCloudAndVault, max_age

LOG = ThrottledLog(logging.getLogger(__name__))

_HOST = "OS-EXT-SRV-ATTR:host"
_VOLUMES = "os-extended-volumes:volumes_attached"


class WindowsProductKey(ByCloudAndVault):
    """``{"product_key": …}``; nothing without the trait, the image, or the key in Vault."""

    options = (
        cfg.StrOpt(
            "trait",
            default="trait:CUSTOM_NECTAR_WINDOWS",
            help="The property, whatever its value, that an image must have. For a server that "
            "was booted from a volume, the volume's copy of it.",
        ),
        cfg.StrOpt(
            "key",
            default="WINDOWS_PRODUCT_KEY_{host}",
            help="The key in Vault; {host} stands for the server's host in upper case.",
        ),
        max_age(60, "The key is another one when the server has moved to another host."),
    )
    needs = frozenset({Need.SERVER, Need.IMAGE, Need.VOLUMES, Need.SECRETS})

    def __init__(self, cloud: Cloud, vault: Secrets, *, trait: str, key: str, max_age: int) -> None:
        super().__init__(cloud, vault, max_age=max_age)
        self._trait = trait
        self._key = key

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        return cls(
            clients.cloud(cls.needs),
            clients.vault(),
            trait=conf.trait,
            key=conf.key,
            max_age=conf.max_age,
        )

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        server = self._cloud.server(context)
        if server is None or not self._is_windows(context, server):
            return None
        host = _shown(server, _HOST)
        if not host:
            return None
        product_key = self._vault.get(self._key.replace("{host}", host.upper()))
        if not product_key:
            LOG.warning("Vault has no Windows product key for the host %s", host)
            return None
        return {"product_key": product_key}

    def _is_windows(self, context: Context, server: Mapping[str, Any]) -> bool:
        if context.image_id:
            return self._trait in (self._cloud.image(context) or {})
        return any(self._trait in metadata for metadata in self._booted_from(context, server))

    def _booted_from(
        self, context: Context, server: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        for attached in _shown(server, _VOLUMES) or ():
            volume = self._cloud.volume(context, attached["id"]) or {}
            if str(volume.get("bootable")).lower() == "true":  # Cinder writes it as text
                yield volume.get("volume_image_metadata") or {}


def _shown(server: Mapping[str, Any], attribute: str) -> Any:
    if attribute not in server:
        raise ProviderFailed(
            f"Nova does not show {attribute} to the user of [service_auth]; it needs the role "
            "admin."
        )
    return server[attribute]
