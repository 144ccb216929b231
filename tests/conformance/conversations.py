"""Conversations as this directory's YAML files have them, read strictly. README.md explains."""

import base64
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct, field

HERE = Path(__file__).parent


class Seen(Struct, forbid_unknown_fields=True):
    """A request that a vendordata target got."""

    ask: str
    headers: dict[str, str | None] = {}  # null: not sent
    json: Any = msgspec.UNSET


class Step(Struct, forbid_unknown_fields=True, kw_only=True):
    """One request, or several that are answered alike, and the answer."""

    ask: str | list[str]
    who: str = field(name="as", default="nobody")
    comes_from: str = field(name="from", default="127.0.0.1")
    headers: dict[str, str | None] = {}
    send: str | None = None
    send_times: int = 1
    send_base64: str | None = None
    status: int = 200
    type: str | None = None
    body: str | None = None
    body_times: int = 1
    body_base64: str | None = None
    matches: str | None = None
    refused: str | None = None
    length: int | None = None
    new_each_time: bool = False
    also: dict[str, str] = {}
    targets_saw: list[Seen] | None = None

    @property
    def asks(self) -> list[tuple[str, str]]:
        """Method and target of each request."""
        listed = [self.ask] if isinstance(self.ask, str) else self.ask
        return [(method, target) for method, _, target in (one.partition(" ") for one in listed)]

    @property
    def sent(self) -> bytes | None:
        """The request's body; None: there is none, and no Content-Length."""
        if self.send_base64 is not None:
            return base64.b64decode(self.send_base64)
        return None if self.send is None else self.send.encode() * self.send_times

    @property
    def expected(self) -> bytes | None:
        """The response's body, with <seed> where a random seed is; None: not compared whole."""
        if self.body_base64 is not None:
            return base64.b64decode(self.body_base64)
        return None if self.body is None else self.body.encode() * self.body_times


class Conversation(Struct, kw_only=True):
    """Steps in order, on one deployment of the service."""

    says: str
    rows: list[str]
    deployment: str
    steps: list[Step]


def read_all() -> list[Conversation]:
    """Every conversation, in the order of the files' names."""
    return [one for path in sorted(HERE.glob("[0-9]*.yaml")) for one in _read(path)]


def read_yaml(name: str) -> Any:
    """Another file of this directory."""
    return yaml.safe_load((HERE / name).read_text())


def read_rows() -> dict[str, str | None]:
    """The checklist: row -> where else it is tested, or None where a conversation must be."""
    lines = (HERE / "rows.txt").read_text().splitlines()
    rows = [line.partition(" -> ") for line in lines if line and not line.startswith("#")]
    return {row.strip(): elsewhere.strip() or None for row, _, elsewhere in rows}


def _read(path: Path) -> list[Conversation]:
    document = yaml.safe_load(path.read_text())
    return [_conversation(document, entry) for entry in document["conversations"]]


def _conversation(document: dict[str, Any], entry: dict[str, Any]) -> Conversation:
    entry = dict(entry)
    says, rows = entry.pop("says"), entry.pop("row")
    deployment = entry.pop("deployment", document.get("deployment"))
    steps = entry.pop("talk", None) or [entry]
    defaults = document.get("defaults", {})
    return Conversation(
        says=says,
        rows=[rows] if isinstance(rows, str) else rows,
        deployment=deployment,
        steps=[msgspec.convert(defaults | step, Step) for step in steps],
    )
