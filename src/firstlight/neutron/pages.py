"""What Neutron's answers say: pure."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from firstlight.neutron.rows import NeutronRow
from firstlight.vendordata_client.targets import without_secrets

Filters = Sequence[tuple[str, str]]
R = TypeVar("R", bound=NeutronRow)

_LONGEST = 300


class NotAPage(ValueError):
    """The body is not what the list should be."""


class Page(Struct, Generic[R], frozen=True):
    """Part of a list, and the query of the next part; None: this was the last."""

    rows: list[R]
    rest: Filters | None


class _Link(Struct):
    rel: str
    href: str


def page(row: type[R], body: bytes) -> Page[R]:
    """One page of a list of `row`.

    Raises:
        NotAPage: the message says what is wrong with it.
    """
    try:
        named = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        rows = msgspec.json.decode(named[row.NAME], type=list[row])  # type: ignore[valid-type]
        links = msgspec.json.decode(named.get(f"{row.NAME}_links", b"[]"), type=list[_Link])
    except KeyError as error:
        raise NotAPage(f"there is no {row.NAME} in it") from error
    except msgspec.MsgspecError as error:
        raise NotAPage(str(error)) from error
    following = (link.href for link in links if link.rel == "next")
    return Page(rows, _query(next(following, None)))


def detail(body: bytes) -> str:
    """The sentence of Neutron's error body; empty if there is none."""
    try:
        error: Any = msgspec.json.decode(body)
        return without_secrets(str(error["NeutronError"]["message"]))[:_LONGEST]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return ""


def _query(url: str | None) -> Filters | None:
    return None if url is None else parse_qsl(urlsplit(url).query, keep_blank_values=True)
