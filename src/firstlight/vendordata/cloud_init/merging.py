"""Merging of JSON-like objects, and of cloud-config with its ``merge_how``.

Unless told otherwise dictionaries merge deeply, lists are appended and the later scalar wins.
``merge_how`` means what cloud-init's documentation ("Merging user data sections") says: how the
object that carries it is merged with what came before.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from msgspec import Struct

# Told of each scalar (or clash of types) that a later value replaced: the path to it.
Replaced = Callable[[str], None]


class MergeHowInvalid(ValueError):
    """``merge_how`` is nothing that cloud-init's mergers have."""


class Strategy(Struct, frozen=True):
    """What happens to a key that both sides have, for each kind of value."""

    dict_replace: bool = True  # what is not merged deeper: the later one wins, or the earlier
    dict_delete: bool = False  # a null removes the key
    recurse_dict: bool = True
    recurse_list: bool = True
    recurse_str: bool = False
    list_method: str = "append"
    str_append: bool = False


OURS = Strategy()

_TERM = re.compile(r"(\w+)\(([\w\s,]*)\)")
_SETTINGS = {
    "dict": {
        *("allow_delete", "no_replace", "replace"),
        *("recurse_array", "recurse_dict", "recurse_list", "recurse_str"),
    },
    "list": {
        *("append", "prepend", "no_replace", "replace"),
        *("recurse_array", "recurse_dict", "recurse_list", "recurse_str"),
    },
    "str": {"append"},
}


def merged(
    base: Mapping[str, Any],
    later: Mapping[str, Any],
    *,
    strategy: Strategy = OURS,
    replaced: Replaced = lambda _path: None,
) -> dict[str, Any]:
    """A new object: `later` merged over `base`. Neither is changed."""
    return _merge_dicts(base, later, strategy, replaced, "")


def _merge_dicts(
    base: Mapping[str, Any],
    later: Mapping[str, Any],
    how: Strategy,
    replaced: Replaced,
    path: str,
) -> dict[str, Any]:
    result = deepcopy(dict(base))
    for key, value in later.items():
        if key not in result:
            result[key] = deepcopy(value)
        elif value is None and how.dict_delete:
            del result[key]
        else:
            where = f"{path}.{key}" if path else str(key)
            result[key] = _merge_values(result[key], value, how, replaced, where)
    return result


def _merge_values(old: Any, new: Any, how: Strategy, replaced: Replaced, path: str) -> Any:
    match old, new:
        case dict(), dict() if how.recurse_dict:
            return _merge_dicts(old, new, how, replaced, path)
        case list(), list() if how.recurse_list:
            return _merge_lists(old, new, how)
        case str(), str() if how.recurse_str:
            return old + new if how.str_append else new
    if not how.dict_replace or old == new:
        return old
    replaced(path)
    return deepcopy(new)


def _merge_lists(old: Sequence[Any], new: Sequence[Any], how: Strategy) -> list[Any]:
    """Appended, prepended, or place by place where one side gives way to the other."""
    match how.list_method:
        case "append":
            return deepcopy([*old, *new])
        case "prepend":
            return deepcopy([*new, *old])
        case "replace":
            return deepcopy([*new, *old[len(new) :]])
        case _:
            return deepcopy([*old, *new[len(old) :]])


def strategy_of(merge_how: Any) -> Strategy:
    """The strategy that a ``merge_how`` (string, or list of name and settings) asks for.

    Raises:
        MergeHowInvalid: it asks for nothing cloud-init knows.
    """
    settings = dict(_terms(merge_how))
    of_dict = settings.get("dict", set())
    of_list = settings.get("list", set())
    methods = [m for m in ("append", "prepend", "replace", "no_replace") if m in of_list]
    return Strategy(
        dict_replace="replace" in of_dict,
        dict_delete="allow_delete" in of_dict,
        # In cloud-init a dict merger that replaces does not look inside what it replaces.
        recurse_dict="replace" not in of_dict,
        recurse_list=bool(of_dict & {"recurse_array", "recurse_list"}) and "replace" not in of_dict,
        recurse_str="recurse_str" in of_dict and "replace" not in of_dict,
        list_method=methods[0] if methods else "no_replace",
        str_append="append" in settings.get("str", set()),
    )


def _terms(merge_how: Any) -> list[tuple[str, set[str]]]:
    match merge_how:
        case str():
            terms = _terms_of_text(merge_how)
        case list():
            terms = [_term_of_item(item) for item in merge_how]
        case _:
            raise MergeHowInvalid(f"merge_how is neither text nor a list: {merge_how!r}")
    for name, settings in terms:
        unknown = settings - _SETTINGS.get(name, set())
        if name not in _SETTINGS or unknown:
            raise MergeHowInvalid(f"merge_how: no such merger: {name}({','.join(sorted(unknown))})")
    return terms


def _terms_of_text(text: str) -> list[tuple[str, set[str]]]:
    terms = []
    for part in text.split("+"):
        term = _TERM.fullmatch(part.strip())
        if term is None:
            raise MergeHowInvalid(f"merge_how: not a merger: {part!r}")
        terms.append((term[1], {word.strip() for word in term[2].split(",") if word.strip()}))
    return terms


def _term_of_item(item: Any) -> tuple[str, set[str]]:
    match item:
        case {"name": str(name), "settings": [*settings]} if all(
            isinstance(setting, str) for setting in settings
        ):
            return name, set(settings)
        case {"name": str(name), **rest} if not rest:
            return name, set()
    raise MergeHowInvalid(f"merge_how: not a merger: {item!r}")
