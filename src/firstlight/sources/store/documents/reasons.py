"""What the decoder says about a wrong document, in words for the person who wrote it."""

import difflib
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

import msgspec

from firstlight.instance.network import MacAddress
from firstlight.instance.server import Uuid
from firstlight.sources.store.documents.document import json_schema
from firstlight.sources.store.errors import Path, Problem

_WHERE = re.compile(r"(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<number>\d+|\.\.\.)\]")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_PATTERNS = {
    get_args(Uuid)[1].pattern: "not a lower-case UUID",
    get_args(MacAddress)[1].pattern: "not a MAC address: six octets such as fa:16:3e:9c:bf:3d",
}


def problem(error: msgspec.ValidationError, value: Any) -> Problem:
    """What is wrong with `value`, which the decoder refused with `error`."""
    match = _WHERE.fullmatch(str(error))
    assert match is not None  # everything in it is optional
    path = _path(match["path"] or "", value)
    for pattern, explain in _EXPLANATIONS:
        if found := pattern.fullmatch(match["what"]):
            more, reason = explain(found)
            return Problem(path=(*path, *more), reason=reason)
    return Problem(path=path, reason=match["what"].replace("`", ""))


def _path(text: str, value: Any) -> Path:
    """The decoder's path. It calls every key of a dictionary ``[...]``; this finds which it was."""
    path: list[str | int] = []
    for step in _STEP.finditer(text):
        key: Any = step["name"] or step["number"]
        if key == "...":
            # metadata is the only dictionary, and text the only thing it takes
            key = next(key for key, one in value.items() if not isinstance(one, str))
        elif step["number"]:
            key = int(key)
        path.append(key)
        value = value[key]
    return tuple(path)


def _missing(found: re.Match[str]) -> tuple[Path, str]:
    return (), f"{found['field']} is missing"


def _unknown(found: re.Match[str]) -> tuple[Path, str]:
    near = difflib.get_close_matches(found["field"], _fields(), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return (found["field"],), f"there is no such field{hint}"


def _type(found: re.Match[str]) -> tuple[Path, str]:
    wanted = " or ".join(_WORDS.get(word, word) for word in found["wanted"].split(" | "))
    hint = ": put it in quotes" if "text" in wanted and found["got"] in _SCALARS else ""
    return (), f"should be {wanted}, but is {_WORDS.get(found['got'], found['got'])}{hint}"


def _pattern(found: re.Match[str]) -> tuple[Path, str]:
    return (), _PATTERNS.get(found["pattern"], f"does not match {found['pattern']}")


def _length(found: re.Match[str]) -> tuple[Path, str]:
    return (), f"longer than {found['length']} characters"


def _choice(found: re.Match[str]) -> tuple[Path, str]:
    return (), f"{found['value']} is none of its values; see `firstlight instance schema`"


_SCALARS = ("int", "float", "bool")
_EXPLANATIONS = (
    (re.compile("Object missing required field `(?P<field>.*)`"), _missing),
    (re.compile("Object contains unknown field `(?P<field>.*)`"), _unknown),
    (re.compile("Expected `(?P<wanted>.*)`, got `(?P<got>.*)`"), _type),
    (re.compile("Expected `str` matching regex '(?P<pattern>.*)'"), _pattern),
    (re.compile("Expected `str` of length <= (?P<length>.*)"), _length),
    (re.compile("Invalid (?:enum )?value (?P<value>.*)"), _choice),
)


@cache
def _fields() -> Sequence[str]:
    """Every field of every kind of thing in a document."""
    kinds = json_schema()["$defs"].values()
    return sorted({field for kind in kinds for field in kind["properties"]})
