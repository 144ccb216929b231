"""Who asks, by what a request brings: the place it came in at, and the address in it.

A proxy's word counts, a guest's never: on a listener that stands for a place the headers below are
only a guest's and nobody looks at them; on the agent's socket the proxy has set each of them once,
and whatever a guest added makes two, which is refused (metadata-proxy §4.3, §7).
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from firstlight.httpd.protocol.messages import Request
from firstlight.relay.contract import Guest, Origin, Via

_HEADERS = tuple((via, via.value.lower().encode()) for via in Via)
_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FORWARDED = b"x-forwarded-for"


class UnknownOrigin(Exception):
    """The request does not say who asks; the message is for whoever sent it."""


def guest_of(request: Request) -> Guest:
    """The guest that asks.

    On a listener that stands for a :class:`Origin`: the peer, there. On any other: the one that the
    proxy's headers name, with the last address of ``X-Forwarded-For``, which is the proxy's own.

    Raises:
        UnknownOrigin: a header is missing, or there twice, or is not what it should be.
    """
    place = request.listener
    if isinstance(place, Origin):
        return _at(place, request.peer)
    headers = request.headers
    named = [(via, headers[name]) for via, name in _HEADERS if name in headers]
    if len(named) != 1:
        names = ", ".join(via.value for via in Via)
        raise UnknownOrigin(f"Exactly one of {names} must name where the request comes from.")
    via, name = named[0]
    return _behind_proxy(via, name, headers.get(_FORWARDED, b""))


@lru_cache(maxsize=8192)  # the same guests ask dozens of times in a row
def _behind_proxy(via: Via, name: bytes, forwarded: bytes) -> Guest:
    if not _UUID.fullmatch(name):
        raise UnknownOrigin(f"{via.value} must be one UUID.")
    last = forwarded.decode("latin-1").rpartition(",")[2].strip()
    return _at(Origin(via, name.decode().lower()), last)


@lru_cache(maxsize=8192)
def _at(place: Origin, address: str) -> Guest:
    try:
        return Guest(place, _plain(address))
    except ValueError as error:
        raise UnknownOrigin("X-Forwarded-For must end in the address of who asks.") from error


def _plain(address: str) -> IPv4Address | IPv6Address:
    """Without a zone; of a v4-mapped address the IPv4 inside."""
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
