"""Targets as the operator lists them: ``[api] vendordata_dynamic_targets = name@url, …``."""

import logging
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

LOG = logging.getLogger(__name__)

_USERINFO = re.compile(r"//[^/?#\s]*@")
_QUERY = re.compile(r"\?[^#\s]+")


class Target(NamedTuple):
    """A service that is asked about each instance; `name` is its key in ``vendor_data2.json``."""

    name: str
    url: str

    @property
    def shown(self) -> str:
        """The URL without what may be secret, for logs."""
        return without_secrets(self.url) if _has_parts(self.url) else "malformed URL"

    @property
    def problem(self) -> str | None:
        """Why no request can be made to this URL, or None."""
        if not _has_parts(self.url):
            return "the URL is malformed: its host or port cannot be told"
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https"):
            return "the URL must begin with http:// or https://"
        return None if parts.hostname else "the URL names no host"


def parse(listed: Iterable[str]) -> tuple[Target, ...]:
    """The targets in order, as Nova reads them: each entry is split at its first ``@``.

    An entry without ``@`` and a second one of the same name are skipped with a warning, the latter
    so that it is never called. The empty name is a name. A target that can never answer is kept,
    because its key must be there; it is warned about here, at start.
    """
    targets: dict[str, Target] = {}
    for entry in listed:
        name, separator, url = entry.partition("@")
        target = Target(name, url)
        if not separator:
            LOG.warning(
                "vendordata target %r skipped: write it as name@url", without_secrets(entry)
            )
        elif name in targets:
            LOG.warning("vendordata target %s (%s) skipped: the name is taken", name, target.shown)
        else:
            targets[name] = target
            _warn(target)
    return tuple(targets.values())


def without_secrets(text: str) -> str:
    """`text` with the userinfo and the query of every URL in it left out."""
    return _QUERY.sub("?…", _USERINFO.sub("//", text))


def _has_parts(url: str) -> bool:
    try:
        urlsplit(url).port  # noqa: B018  (raises for what is no port)
    except ValueError:
        return False
    return True


def _warn(target: Target) -> None:
    if target.problem:
        LOG.warning(
            "vendordata target %s (%s) will always fail: %s",
            target.name,
            target.shown,
            target.problem,
        )
