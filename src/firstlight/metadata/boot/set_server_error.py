"""How a server is set to ERROR: through Nova's API, or in the embedded store."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from keystoneauth1 import exceptions, loading
from keystoneauth1.adapter import Adapter
from msgspec import DecodeError, Struct, field
from msgspec.json import decode
from oslo_config import cfg

from firstlight.metadata.backend import BackendError
from firstlight.metadata.boot.watchdog import SetErrorFailed, SetErrorResult
from firstlight.sources import InstanceGone, SourceUnavailable
from firstlight.sources.store import Store

_OPTION = "[firstlight] vendordata_error_auth_section"
# A server that began to run longer ago than this, beyond the deadline itself, is not booting for
# the first time: somebody in it has asked again. It is not taken away from its owner.
_BOOT_SECONDS = 900
# Tags came with 2.26; a tag is the only thing an administrator can add to a server that neither its
# guest sees nor its targets are sent.
_TAGGING = "2.26"
_TAG_LENGTH = 60
_SECONDS = 10  # for one request


class StoreErrorSetter:
    """The store's own state of an instance."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, uuid: str, reason: str) -> SetErrorResult:
        """See :class:`firstlight.metadata.boot.watchdog.ErrorSetter`."""
        try:
            self._store.set_error(uuid, reason)
        except InstanceGone:
            return SetErrorResult(False, "it has been removed meanwhile")
        except SourceUnavailable as error:
            raise SetErrorFailed(str(error)) from error
        return SetErrorResult(True, "its state is ERROR now")


class NovaErrorSetter:
    """Nova's API: the server gets a tag that says why, and then its state is reset.

    A server that has not just been started is let be.

    Args:
        compute: Nova's API, as an administrator.
        since: seconds that the guest has been without its data.
        clock: seconds since the epoch.
    """

    def __init__(
        self, compute: Adapter, *, since: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._compute = compute
        self._since = since
        self._clock = clock

    def __call__(self, uuid: str, reason: str) -> SetErrorResult:
        """See :class:`firstlight.metadata.boot.watchdog.ErrorSetter`."""
        shown = self._ask("GET", f"/servers/{uuid}")
        if shown is None:
            return SetErrorResult(
                False,
                "Nova shows no such server: it has been deleted meanwhile, or the user of the "
                f"section that {_OPTION} names is no administrator",
            )
        server = _read(shown, uuid)
        if server.status == "ERROR":
            return SetErrorResult(False, "its state in Nova is ERROR already")
        if not self._is_booting(server):
            return SetErrorResult(False, "it was started long ago, so its state is left as it is")
        tagged = self._tag(uuid, reason)
        self._ask("POST", f"/servers/{uuid}/action", {"os-resetState": {"state": "error"}})
        return SetErrorResult(True, f"its state in Nova is ERROR now, {tagged}")

    def _is_booting(self, server: "_Server") -> bool:
        if server.launched is None:
            return True
        began = server.launched.replace(tzinfo=UTC).timestamp()
        return self._clock() - began < self._since + _BOOT_SECONDS

    def _tag(self, uuid: str, reason: str) -> str:
        """The reason first, so that it is there when the state is seen. ERROR does without."""
        tag = tag_of(reason)
        try:
            self._ask("PUT", f"/servers/{uuid}/tags/{tag}", version=_TAGGING)
        except SetErrorFailed as error:
            return f"without the tag {tag}: {error}"
        return f"with the tag {tag}"

    def _ask(
        self, method: str, path: str, body: Any = None, version: str | None = None
    ) -> bytes | None:
        """The answer's body; None: there is no such server."""
        try:
            response = self._compute.request(
                path,
                method,
                json=body,
                microversion=version,
                raise_exc=False,
                connect_retries=0,
                timeout=_SECONDS,
            )
        except (exceptions.ClientException, OSError, ValueError) as error:
            raise SetErrorFailed(f"Nova's API: {error}") from error
        if response.status_code == 404:
            return None
        if response.status_code >= 400:
            raise SetErrorFailed(_complaint(f"{method} {path}", response.status_code))
        content: bytes = response.content
        return content


class _Server(Struct):
    """What is asked of Nova's answer; `launched` is UTC, without saying so."""

    status: str
    launched: datetime | None = field(name="OS-SRV-USG:launched_at", default=None)


class _Shown(Struct):
    server: _Server


def _read(shown: bytes, uuid: str) -> _Server:
    try:
        return decode(shown, type=_Shown).server
    except (DecodeError, UnicodeDecodeError) as error:
        raise SetErrorFailed(
            f"Nova's API answers GET /servers/{uuid} with what is no server: {error}"
        ) from error


def _complaint(asked: str, status: int) -> str:
    said = f"Nova's API answers {asked} with {status}"
    if status not in (401, 403):
        return said
    return f"{said}; the user of the section that {_OPTION} names must be an administrator"


def tag_of(reason: str) -> str:
    """A tag that says which target it was: at most 60 characters, no slash, no comma."""
    _required, _, told = reason.partition("required target ")
    name = told.split(" ", 1)[0] or "unknown"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return f"firstlight-no-vendordata-{plain}"[:_TAG_LENGTH]


def open_compute(conf: cfg.ConfigOpts) -> Adapter:
    """Nova's API as the user of ``[firstlight] vendordata_error_auth_section``. Sends nothing yet.

    Raises:
        BackendError: the option is not set, or the section cannot be used.
    """
    section = conf.firstlight.vendordata_error_auth_section
    if not section:
        raise BackendError(
            f"[firstlight] vendordata_error_after needs {_OPTION}: a section with keystoneauth's "
            "options (auth_type, auth_url, username, ...) of an administrator"
        )
    try:
        _register(conf, section)
        auth = loading.load_auth_from_conf_options(conf, section)
        session = loading.load_session_from_conf_options(conf, section, auth=auth)
    except (exceptions.AuthPluginException, cfg.Error, ValueError) as error:
        raise BackendError(f"[{section}], named by {_OPTION}: {error}") from error
    if auth is None:
        raise BackendError(f"[{section}], named by {_OPTION}, has no auth_type")
    return Adapter(
        session,
        service_type="compute",
        interface=["internal", "public"],
        region_name=conf[section].region_name,
    )


def _register(conf: cfg.ConfigOpts, section: str) -> None:
    """keystoneauth's options, as far as they are not known because the section is another's too."""
    loading.register_session_conf_options(conf, section)
    loading.register_auth_conf_options(conf, section)
    if "region_name" not in conf[section]:
        conf.register_opt(cfg.StrOpt("region_name"), group=section)
