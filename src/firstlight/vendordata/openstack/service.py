"""One OpenStack service: GET, and whose fault it is if that does not work."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ClientException, Forbidden, NotFound

from firstlight.vendordata.contract import ProviderFailed
from firstlight.vendordata.dispatch.request_cache import RequestCache

# Neutron may cut a list into pages; one server's ports are never this many.
_PAGES = 100


class Service:
    """What `adapter` leads to.

    Args:
        name: what operators call it: Nova, Neutron …
        version: the path under which its API is, if the catalog leaves that open; else empty.
        rights: what its user must be allowed to do, for the message when it is not.
        credentials: the section whose user asks, for messages.
        timeout: seconds for one call, if the request has that long.
    """

    def __init__(
        self,
        adapter: Adapter,
        *,
        name: str,
        version: str,
        rights: str,
        credentials: str,
        timeout: float,
    ) -> None:
        self._adapter = adapter
        self._name = name
        self._version = version
        self._rights = rights
        self._credentials = credentials
        self._timeout = timeout

    def get(self, path: str, shared: RequestCache, *, secret: bool = False) -> Any:
        """What is at `path`, from JSON; None if there is nothing.

        `secret`: keystoneauth must not log the answer, at any level.

        Raises:
            ProviderFailed: it could not be asked, or did not answer as it should.
        """
        try:
            url = self._root() + path
            return self._adapter.get(url, timeout=self._left(shared), log=not secret).json()
        except NotFound:
            return None
        except Forbidden as error:
            raise ProviderFailed(
                f"{self._name} does not let the user of [{self._credentials}] do this; "
                f"{self._rights}."
            ) from error
        except (ClientException, ValueError) as error:
            raise ProviderFailed(
                f"Asking {self._name} for {_plain(path)} failed: {error}."
            ) from error

    def pages(self, path: str, key: str, shared: RequestCache) -> Iterator[Mapping[str, Any]]:
        """Every item of the list `key` at `path`, page after page.

        Raises:
            ProviderFailed: as :meth:`get`, or the list is not there.
        """
        following: str | None = path
        for _ in range(_PAGES):
            if following is None:
                return
            page = self.get(following, shared)
            try:
                yield from page[key]
                links = {link["rel"]: link["href"] for link in page.get(f"{key}_links", ())}
            except (KeyError, TypeError, AttributeError) as error:
                raise self.odd(path, error) from error
            following = _same_path(path, links["next"]) if "next" in links else None

    def odd(self, path: str, error: Exception) -> ProviderFailed:
        """`path` was answered with something else than its API says; `error` is what showed it."""
        return ProviderFailed(
            f"{self._name} answered {_plain(path)} in an unknown form: {type(error).__name__}."
        )

    def _root(self) -> str:
        """Catalogs have it with the version and without."""
        endpoint = self._adapter.get_endpoint()
        if not endpoint:
            raise ProviderFailed(
                f"The service catalog has no {self._name} that fits [firstlight] cloud_interface "
                "and cloud_region."
            )
        return str(endpoint).rstrip("/").removesuffix(self._version) + self._version

    def _left(self, shared: RequestCache) -> float:
        left = shared.left(self._timeout)
        if left <= 0:
            raise ProviderFailed(f"There was no time left to ask {self._name}.")
        return left


def _same_path(path: str, link: str) -> str:
    """`path` with the query of `link`: behind a proxy, a link's host need not be one we reach."""
    return f"{_plain(path)}?{urlsplit(link).query}"


def _plain(path: str) -> str:
    return path.partition("?")[0]
