"""What the service is handed beside its source: the operator's options, and vendor data."""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any, Protocol

from msgspec import Struct

from firstlight.documents import TreeSettings
from firstlight.instance import Answer, Instance


class VendorDataProvider(Protocol):
    """What the service needs of :mod:`firstlight.vendordata_client`."""

    def static(self) -> Any:
        """The value StaticJSON serves; raises StaticUnavailable when there is none to serve."""

    @property
    def required(self) -> Collection[str]:
        """Targets without which nothing of what they say may be shown."""

    def begin(
        self, instance: Instance, *, only: Collection[str] | None = None, ahead: bool = False
    ) -> "dict[str, Answer] | Future[dict[str, Answer]]":
        """What the targets (None: all) say about `instance`, failures included, now or later.

        With `ahead` nobody wants to know yet, but somebody will in a moment. Does not block.
        """

    def outdate(self, uuid: str | None) -> None:
        """This instance (None: any) has changed, so that its targets must be asked again."""

    def fatal(self, answers: dict[str, Answer]) -> str | None:
        """Why these answers may not be shown at all, or None."""


class SharedInstances(Protocol):
    """What the service needs of :mod:`firstlight.shared_cache`."""

    def instance(
        self, uuid: str, read: Callable[[str], Instance | None]
    ) -> tuple[Instance | None, float]:
        """The instance and how many seconds ago it was read; by `read` if nobody else has."""

    def forget(self, uuid: str | None) -> None:
        """What anybody has read of `uuid` so far (None: of any) does not count any more."""


class _NotShared:
    """Nobody shares anything: each process reads for itself."""

    def instance(
        self, uuid: str, read: Callable[[str], Instance | None]
    ) -> tuple[Instance | None, float]:
        return read(uuid), 0.0

    def forget(self, uuid: str | None) -> None:
        """There is nothing to forget."""


ALONE: SharedInstances = _NotShared()


class ServiceSettings(Struct, frozen=True):
    """The operator's options, read once."""

    documents: TreeSettings = TreeSettings()
    signed: bool = False  # [neutron] service_metadata_proxy
    behind_proxy: bool = False  # [oslo_middleware] enable_proxy_headers_parsing
    secrets: tuple[str, ...] = ("",)
    ttl: float = 15.0
    negative_ttl: float = 1.0
    stale_limit: float = 3600.0
    memory_mib: int = 256
