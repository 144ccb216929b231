"""Golden files: what real Nova answered, folded so that a person can read them.

A path whose answer is the same in consecutive versions stands there once, the versions as a range:
``/1.0..latest/meta-data/ami-id``. A body is text, or base64 where it is not UTF-8. The random seed
of ``meta_data.json`` is replaced by a marker after its form has been checked.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from lab.asking import UNANSWERED, Reply
from lab.paths import EC2, OPENSTACK

DIRECTORY = Path(__file__).parents[1] / "golden"

SEED = "THE RANDOM SEED"
SEED_BYTES = 512
_SEEDED = re.compile(rb'(?<="random_seed": ")[A-Za-z0-9+/]{683}=(?=")')

NOT_FOUND = Reply(
    404,
    "text/plain; charset=UTF-8",
    b"404 Not Found\n\nThe resource could not be found.\n\n   ",
)


def marked(body: bytes) -> bytes:
    """`body` with a marker for the seed.

    Raises:
        ValueError: there is a seed that is not base64 of 512 bytes.
    """
    body, found = _SEEDED.subn(SEED.encode(), body)
    if found == 0 and b'"random_seed"' in body and SEED.encode() not in body:
        raise ValueError(f"a random_seed of another form: {body!r}")
    return body


def body_to_json(body: bytes) -> Any:
    """Text, or ``{"base64": …}``."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def body_from_json(value: Any) -> bytes:
    """The bytes again."""
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def replies_to_json(replies: Mapping[str, Reply]) -> dict[str, Any]:
    """``answers``, and the paths that are ``absent`` (the plain 404) or ``unanswered``."""
    answers: dict[str, Any] = {}
    groups: dict[str, list[str]] = {"absent": [], "unanswered": []}
    for path, reply in fold(replies):
        if reply == NOT_FOUND:
            groups["absent"].append(path)
        elif reply == UNANSWERED:
            groups["unanswered"].append(path)
        else:
            answers[path] = [reply.status, reply.content_type, body_to_json(reply.body)]
    return {"answers": answers, **groups}


def replies_from_json(golden: Mapping[str, Any]) -> dict[str, Reply]:
    """Path → reply, every version for itself."""
    folded = {
        path: Reply(status, content_type, body_from_json(body))
        for path, (status, content_type, body) in golden["answers"].items()
    }
    folded |= dict.fromkeys(golden["absent"], NOT_FOUND)
    folded |= dict.fromkeys(golden["unanswered"], UNANSWERED)
    return {path: reply for key, reply in folded.items() for path in unfold(key)}


def named_to_json(replies: Mapping[str, Reply]) -> dict[str, Any]:
    """Replies that are not of a path but of a request with a name."""
    return {
        name: [reply.status, reply.content_type, body_to_json(reply.body)]
        for name, reply in replies.items()
    }


def named_from_json(value: Mapping[str, Any]) -> dict[str, Reply]:
    """The replies again."""
    return {
        name: Reply(status, content_type, body_from_json(body))
        for name, (status, content_type, body) in value.items()
    }


def fold(replies: Mapping[str, Reply]) -> Iterator[tuple[str, Reply]]:
    """Paths with the same rest and the same reply in consecutive versions as one."""
    families: dict[tuple[str, str], dict[str, Reply]] = {}
    for path, reply in replies.items():
        prefix, version, rest = _split(path)
        if version is None:
            yield path, reply
        else:
            families.setdefault((prefix, rest), {})[version] = reply
    for (prefix, rest), by_version in families.items():
        order = OPENSTACK if prefix == "/openstack/" else EC2
        numbered = [(order.index(v), v, r) for v, r in by_version.items()]
        for run in _runs(sorted(numbered, key=lambda entry: entry[0])):
            first, last = run[0][1], run[-1][1]
            versions = first if first == last else f"{first}..{last}"
            yield f"{prefix}{versions}{rest}", run[0][2]


def unfold(path: str) -> Iterator[str]:
    """The paths a folded one stands for."""
    prefix = "/openstack/" if path.startswith("/openstack/") else "/"
    versions, slash, rest = path.removeprefix(prefix).partition("/")
    first, dots, last = versions.partition("..")
    order = OPENSTACK if prefix == "/openstack/" else EC2
    if not dots or first not in order or last not in order:
        yield path
        return
    for version in order[order.index(first) : order.index(last) + 1]:
        yield f"{prefix}{version}{slash}{rest}"


def write(name: str, value: Mapping[str, Any]) -> None:
    """Write a golden file; the same value gives the same bytes."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    (DIRECTORY / f"{name}.json").write_text(_compact(text) + "\n", encoding="utf-8")


def read(name: str) -> Any:
    """Read one again."""
    return json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))


def names() -> list[str]:
    """All golden files that hold the answers for a server."""
    found = (path.name.removesuffix(".json") for path in DIRECTORY.glob("*.json"))
    return sorted(name for name in found if name != "refusals")


def _split(path: str) -> tuple[str, str | None, str]:
    prefix = "/openstack/" if path.startswith("/openstack/") else "/"
    version, slash, rest = path.removeprefix(prefix).partition("/")
    known = OPENSTACK if prefix == "/openstack/" else EC2
    return (prefix, version, slash + rest) if version in known else (path, None, "")


def _runs(
    numbered: Iterable[tuple[int, str, Reply]],
) -> Iterator[list[tuple[int, str, Reply]]]:
    """Neighbours with the same reply; a missing version ends a run."""
    counted = (
        (number - place, *entry) for place, entry in enumerate(numbered) for number in entry[:1]
    )
    for _, run in groupby(counted, key=lambda entry: (entry[0], entry[3])):
        yield [entry[1:] for entry in run]


def _compact(text: str) -> str:
    """An answer's three fields on one line."""
    return re.sub(r"\[\n +(\d+),\n +(.+),\n +(\".*\")\n +\]", r"[\1, \2, \3]", text)
