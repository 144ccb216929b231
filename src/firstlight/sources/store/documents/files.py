"""Reading files of instance documents: YAML or JSON, one or many, all right or none.

YAML streams may hold several documents, each an instance or a list of them.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path as FilePath
from typing import Any, BinaryIO, NamedTuple

import msgspec

from firstlight import yaml_lines
from firstlight.instance import Instance
from firstlight.sources.store.documents import reasons
from firstlight.sources.store.documents.canonical import canonical
from firstlight.sources.store.documents.checks import found
from firstlight.sources.store.documents.document import StoredDocument
from firstlight.sources.store.errors import BadDocument, Path, Problem

LARGEST = 64 * 2**20  # bytes: 10,000 instances with 4 KiB of user data each are 60 MB
_MOST_USER_DATA = 65535  # characters of base64, as the compute API


class Loaded(NamedTuple):
    """An instance from a file, and where in the file it is."""

    instance: Instance
    revision: int | None  # what `show` printed, if the document says
    place: Callable[[], str]  # file:line; worked out when it is wanted


class _Piece(NamedTuple):
    """One document of a file, not yet looked at."""

    value: Any
    line_of: Callable[[Path], int]


def load(names: Sequence[str], stdin: BinaryIO | None = None) -> list[Loaded]:
    """Every instance of these files; ``-`` is standard input.

    Raises:
        BadDocument: with every problem of every file, each with its line.
        OSError: a file cannot be read.
    """
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    for name in names:
        try:
            if name == "-":
                loaded += _read_all(stdin or sys.stdin.buffer, "stdin")
            else:
                with FilePath(name).open("rb") as file:
                    loaded += _read_all(file, name)
        except BadDocument as error:
            problems += error.problems
    problems += _twice(loaded)
    if problems:
        raise BadDocument(problems)
    return loaded


def read(content: bytes, name: str) -> list[Loaded]:
    """Every instance in `content`; `name` is what messages call it.

    Raises:
        BadDocument: with every problem found.
    """
    try:
        pieces = list(_pieces(_text(content), is_json=name.endswith(".json")))
    except yaml_lines.Unclear as error:
        raise BadDocument([_at(name, error.line, Problem(path=(), reason=error.reason))]) from error
    if not pieces:
        raise BadDocument([_at(name, 1, Problem(path=(), reason="there is no instance in it"))])
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    for piece in pieces:
        try:
            document = decode(piece.value)
        except BadDocument as error:
            problems += (_at(name, piece.line_of(one.path), one) for one in error.problems)
        else:
            instance = canonical(document.instance())
            loaded.append(Loaded(instance, document.revision, partial(_place, name, piece)))
    if problems:
        raise BadDocument(problems)
    return loaded


def decode(value: Any) -> StoredDocument:
    """A document from plain dictionaries and lists.

    Raises:
        BadDocument: with what is wrong: the first thing about its form, or else everything about
            its content.
    """
    if isinstance(value, dict) and "password" in value:
        raise BadDocument([Problem(path=("password",), reason="the guest posts it; leave it out")])
    try:
        document = msgspec.convert(value, StoredDocument)
    except msgspec.ValidationError as error:
        raise BadDocument([reasons.problem(error, value)]) from error
    problems = list(_user_data_text(document))
    if not problems:
        problems = [Problem(path=path, reason=why) for path, why in found(document.instance())]
    if problems:
        raise BadDocument(problems)
    return document


def _user_data_text(document: StoredDocument) -> Iterator[Problem]:
    text = document.user_data_text
    if text is None:
        return
    here: Path = ("user_data_text",)
    if document.user_data is not None:
        yield Problem(path=here, reason="give either user_data or user_data_text")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        yield Problem(path=here, reason="half of a surrogate pair (\\ud800 to \\udfff) is not text")
        return
    most = _MOST_USER_DATA // 4 * 3
    if size > most:
        yield Problem(path=here, reason=f"{size} bytes; user data has {most} at most")


def _read_all(file: BinaryIO, name: str) -> list[Loaded]:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        reason = f"larger than {LARGEST} bytes: split it"
        raise BadDocument([_at(name, 1, Problem(path=(), reason=reason))])
    return read(content, name)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise yaml_lines.Unclear(line, "not UTF-8") from error


def _pieces(text: str, *, is_json: bool) -> Iterator[_Piece]:
    """The documents of a text. YAML may begin like JSON: unless so named, JSON is only tried."""
    if is_json or text.lstrip()[:1] in ("{", "["):
        try:
            yield from _json_pieces(text)
        except json.JSONDecodeError as error:
            if is_json:
                raise yaml_lines.Unclear(error.lineno, f"not JSON: {error.msg}") from error
        except _NeedsOutline:
            text = _as_yaml(text)  # to say what is wrong and where
        else:
            return
    for node in yaml_lines.documents(text):
        if node.value is not None:  # nothing between two lines of ---
            yield from _split(node)


def _split(node: yaml_lines.Node) -> Iterator[_Piece]:
    nodes = node.value if isinstance(node.value, list) else [node]
    return (_Piece(one.plain(), one.line_of) for one in nodes)


class _NeedsOutline(Exception):
    pass


def _json_pieces(text: str) -> Iterator[_Piece]:
    """Python's JSON reader is many times as fast; lines are worked out when something is wrong."""
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:  # too deep, or a number of 4,300 digits
        raise _NeedsOutline from error
    lines = _Lines(text, is_list=isinstance(value, list))
    for number, one in enumerate(value if isinstance(value, list) else [value]):
        yield _Piece(one, lines.of(number))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise _NeedsOutline
    return unique


def _as_yaml(text: str) -> str:
    """A JSON text as YAML with the same lines: JSON has tabs between tokens only, YAML none."""
    return text.replace("\t", " ")


class _Lines:
    """Lines of a JSON text."""

    def __init__(self, text: str, *, is_list: bool) -> None:
        self._text = text
        self._is_list = is_list
        self._root: yaml_lines.Node | None = None

    def of(self, number: int) -> Callable[[Path], int]:
        """What tells the lines of the document of this number."""
        return lambda path: self._line((number, *path) if self._is_list else path)

    def _line(self, path: Path) -> int:
        if self._root is None:
            try:
                self._root = next(yaml_lines.documents(_as_yaml(self._text)))
            except yaml_lines.Unclear:  # JSON that is no YAML: a key of more than 1024 characters
                self._root = yaml_lines.Node(1, None)
        return self._root.line_of(path)


def _at(name: str, line: int, problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, place=f"{name}:{line}")


def _place(name: str, piece: _Piece) -> str:
    return f"{name}:{piece.line_of(('uuid',))}"


def _twice(loaded: Sequence[Loaded]) -> Iterator[Problem]:
    firsts: dict[str, Loaded] = {}
    for one in loaded:
        first = firsts.setdefault(one.instance.uuid, one)
        if first is not one:
            reason = f"{one.instance.uuid} is in {first.place()} too"
            yield Problem(place=one.place(), path=("uuid",), reason=reason)
