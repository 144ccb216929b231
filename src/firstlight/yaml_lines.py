"""YAML with line numbers: a tree whose every value knows where it was written.

Whatever people write for us is read by this. Only what cannot surprise is taken: YAML 1.2's plain
types (so ``no``, ``52:54:00:12:34:56`` and ``2026-01-01`` are text), no tags but ``!!str``, no
merge keys, no key twice, aliases within bounds. Built from the parser's events, so that a hostile
document is refused before it is large or deep.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

Path = tuple[str | int, ...]  # to a value: keys and positions

DEPTH = 32  # an instance document needs nine levels
EXPANDED = 100_000  # values that aliases may stand for in one file ("billion laughs")

# Where YAML 1.1, which PyYAML writes, and 1.2 disagree, it is text.
_PLAIN: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda text: None),  # noqa: ARG005  the caller's signature
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text[0] in "tT"),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), int),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]*([eE][-+][0-9]+)?"), float),
)
_DIGITS = 20  # more are no number that a document needs, and slow to convert
_TEXT_TAG = "tag:yaml.org,2002:str"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unclear(Exception):
    """The text cannot be read as YAML of ours; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Node:
    """A value: a scalar, a list of nodes, or a dictionary of nodes with the lines of its keys."""

    __slots__ = ("keys", "line", "size", "value")

    def __init__(self, line: int, value: Any, keys: dict[str, int] | None = None) -> None:
        self.line = line
        self.value = value
        self.keys = keys or {}
        children = value.values() if isinstance(value, dict) else value
        self.size = 1 + sum(child.size for child in children) if _is_tree(value) else 1

    def plain(self) -> Any:
        """The value without its lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def line_of(self, path: Path) -> int:
        """The line of what `path` leads to, or of as much of it as there is."""
        line, node = self.line, self
        for key in path:
            if isinstance(key, str) and isinstance(node.value, dict) and key in node.value:
                line, node = node.keys[key], node.value[key]
            elif isinstance(key, int) and isinstance(node.value, list) and key < len(node.value):
                node = node.value[key]
                line = node.line
            else:
                break
        return line


def _is_tree(value: Any) -> bool:
    return isinstance(value, (dict, list))


def documents(text: str) -> Iterator[Node]:
    """Each document of a YAML stream.

    Raises:
        Unclear: it is not YAML, or not of the kind this module reads.
    """
    try:
        yield from _Builder(yaml.parse(text, Loader=_Loader)).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Unclear(line, error.problem or error.context or "not YAML") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unclear(line, f"a character YAML does not take: {error.reason}") from error


class _Builder:
    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        self._expanded = 0

    def documents(self) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                yield self._node(next(self._events), 0)

    def _node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        if depth > DEPTH:
            raise Unclear(line, f"nested more than {DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line)
        if event.tag not in (None, "!", _TEXT_TAG):
            raise Unclear(line, f"the tag {event.tag} is not taken; leave it out")
        if isinstance(event, yaml.ScalarEvent):
            node = Node(line, _scalar(event))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(line, list(self._items(depth)))
        else:
            node = self._mapping(line, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _mapping(self, line: int, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            here = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                raise Unclear(here, "a key must be text")
            if event.value in keys:
                raise Unclear(
                    here, f"{event.value} is given twice, first in line {keys[event.value]}"
                )
            keys[event.value] = here
            values[event.value] = self._node(next(self._events), depth + 1)
        return Node(line, values, keys)

    def _alias(self, event: Any, line: int) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:  # also an anchor around the alias: a value cannot contain itself
            raise Unclear(line, f"*{event.anchor} stands for nothing that came before it")
        self._expanded += node.size
        if self._expanded > EXPANDED:
            raise Unclear(line, f"its aliases stand for more than {EXPANDED} values")
        return node


def _scalar(event: yaml.ScalarEvent) -> Any:
    text = event.value
    if event.style in (None, "") and event.tag is None and len(text) <= _DIGITS:
        for pattern, convert in _PLAIN:
            if pattern.fullmatch(text):
                return convert(text)
    return text
