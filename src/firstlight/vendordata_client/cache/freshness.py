"""How long an answer may be kept, by its headers: RFC 9111 as a private cache reads it. Pure.

The question is a POST that asks and changes nothing; what is kept belongs to one body sent, which
is the key (RFC 9111 §2: a cache key may hold more than the URI). The kept answer is never shown to
another instance, so `s-maxage` does not count, and `private` only says that it may not leave this
process.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from msgspec import Struct

_MOST = 2**31  # seconds (RFC 9111 §1.2.2)
_DIRECTIVE = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
    r"(?:=(?:\"((?:[^\"\\]|\\.)*)\"|([!#$%&'*+.^_`|~0-9A-Za-z-]*)))?"
)
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]{0,1000}"')


class CacheLifetime(Struct, frozen=True, kw_only=True):
    """What an answer says about being kept."""

    keep: bool = True  # False: no-store, or `Vary: *`
    lifetime: float | None = None  # seconds from now; None: it does not say
    stale: bool = True  # False: must-revalidate, no-cache
    while_revalidate: float | None = None  # seconds; None: it does not say
    if_error: float | None = None
    private: bool = False  # not for a cache that is shared, nor for a disk
    etag: str | None = None


def cache_lifetime(headers: Mapping[str, str], now: float) -> CacheLifetime:
    """By `headers`, whose names may be looked up in any case; `now` is seconds since the epoch."""
    said = _directives(headers.get("Cache-Control", ""))
    no_store = "no-store" in said
    return CacheLifetime(
        keep=not no_store and "*" not in headers.get("Vary", ""),
        lifetime=_lifetime(headers, said, now),
        stale=not said.keys() & {"must-revalidate", "no-cache", "no-store"},
        while_revalidate=_seconds(said, "stale-while-revalidate"),
        if_error=_seconds(said, "stale-if-error"),
        private=no_store or "private" in said,
        etag=_etag(headers.get("ETag")),
    )


def says_nothing(headers: Mapping[str, str]) -> bool:
    """Whether a 304 leaves it at what the answer it confirms has said (RFC 9111 §3.2)."""
    return not any(name in headers for name in ("Cache-Control", "Expires"))


def _lifetime(
    headers: Mapping[str, str], said: Mapping[str, str | None], now: float
) -> float | None:
    if "no-cache" in said:
        return 0.0
    lifetime = _seconds(said, "max-age")
    if lifetime is None and "Expires" in headers:
        # Measured from its own Date, so that two hosts' clocks need not agree.
        began = _date(headers.get("Date")) or now
        lifetime = (_date(headers["Expires"]) or 0.0) - began  # "0" and its like are long past
    if lifetime is None:
        return None
    # `Date` is not taken for an age: it tells more of clocks than of caches on the way, and those
    # must send Age (RFC 9111 §5.1).
    return min(max(0.0, lifetime - _age(headers.get("Age"))), _MOST)


def _directives(text: str) -> dict[str, str | None]:
    """Cache-Control's; of one that is given twice the first counts (§4.2.1)."""
    found: dict[str, str | None] = {}
    for name, quoted, plain in _DIRECTIVE.findall(text):
        found.setdefault(name.lower(), quoted or plain or None)
    return found


def _seconds(said: Mapping[str, str | None], name: str) -> float | None:
    """None: not given. What is no number counts as 0: better asked once too often."""
    if name not in said:
        return None
    value = said[name] or ""
    return float(min(int(value[:20]), _MOST)) if value.isascii() and value.isdigit() else 0.0


def _age(value: str | None) -> float:
    value = (value or "").strip()
    return float(value[:20]) if value.isascii() and value.isdigit() else 0.0


def _date(value: str | None) -> float | None:
    try:
        return parsedate_to_datetime(value or "").timestamp()
    except (ValueError, OverflowError):
        return None


def _etag(value: str | None) -> str | None:
    value = (value or "").strip()
    return value if _ETAG.fullmatch(value) else None
