"""Which names the releases of Nova and Neutron take for an option, as tools/record-options found.

A file does not say which release it was written for. ``[firstlight] nova_release`` does; unset, it
is the newest release that takes the names which stand there.
"""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from oslo_config import cfg

from firstlight.conf.reading.written import Written

Name = tuple[str, str]  # section and option, as oslo.config compares them


class Span(NamedTuple):
    """How an option was in Nova's (or Neutron's) releases `first` to `last`."""

    first: int
    last: int
    formerly: tuple[Name, ...]  # deprecated names that are taken for it
    default: Any


class Move(NamedTuple):
    """Releases `first` to `last` take `old` for `new`."""

    old: Name
    new: Name
    first: int
    last: int


class RecordedRelease(NamedTuple):
    """Nova's release whose names are taken, and the option of a file that says so, if one does."""

    number: int
    because: Written | None = None


class Moved(NamedTuple):
    """An option under a name that it no longer has; `taken`: in the release of this file it is."""

    written: Written
    moves: tuple[Move, ...]
    taken: bool

    def __str__(self) -> str:
        one = self.written
        effect = "is taken as for an older Nova" if self.taken else "has no effect"
        return (
            f"[{one.group}] {one.name} in {one.file} {effect}: Nova took it there until"
            f" {self.last()}; its place is {self.new_place()}"
        )

    def new_place(self) -> str:
        """``[api] dhcp_domain``; where one name stood for several options, all of them."""
        return ", ".join(dict.fromkeys(shown(move.new) for move in self.moves))

    def last(self) -> int:
        """The last release that takes it where it stands."""
        return max(move.last for move in self.moves)


@cache
def recorded(project: str) -> Mapping[Name, tuple[Span, ...]]:
    """The options of ``nova`` or ``neutron``, in the sections that Firstlight's services read."""
    text = Path(__file__).with_name(f"{project}_options.json").read_text()
    return {
        (section, name): tuple(_span(*span) for span in spans)
        for section, options in json.loads(text).items()
        if section != "releases"
        for name, spans in options.items()
    }


def releases(project: str) -> list[int]:
    """Those that were recorded, oldest first."""
    text = Path(__file__).with_name(f"{project}_options.json").read_text()
    return [int(version.partition(".")[0]) for version in json.loads(text)["releases"]]


def _span(first: int, last: int, formerly: Iterable[Sequence[str]], default: Any) -> Span:
    return Span(first, last, tuple((group, name) for group, name in formerly), default)


def moves(options: Iterable[Name]) -> list[Move]:
    """Every deprecated name of these options in any of Nova's releases."""
    known = recorded("nova")
    return [
        Move(old, new, span.first, span.last)
        for new in options
        for span in known.get(new, ())
        for old in span.formerly
    ]


def release_of(
    written: Iterable[Written], options: Sequence[Name], named: int | None = None
) -> RecordedRelease:
    """The release whose names count; `named`: what [firstlight] nova_release says.

    Only names that an option had and lost say anything. Where no release takes all that stand
    there, it is the newest of those that take most of them.
    """
    known = releases("nova")
    if named is not None:
        return RecordedRelease(min(named, known[-1]))
    lost = {move.old: move for move in moves(options) if move.last < known[-1]}
    used = {name_of(one): one for one in written if name_of(one) in lost}
    newest = max(known, key=lambda release: (_taken(used, lost.values(), release), release))
    because = (one for name, one in used.items() if lost[name].last == newest)
    return RecordedRelease(newest, next(because, None))


def _taken(used: Iterable[Name], lost: Iterable[Move], release: int) -> int:
    taken = {move.old for move in lost if move.first <= release <= move.last}
    return len(taken.intersection(used))


def moved(written: Iterable[Written], options: Sequence[Name], release: int) -> Iterator[Moved]:
    """Options that stand in the files under names which a later release does not take."""
    newest = releases("nova")[-1]
    lost = [move for move in moves(options) if move.last < newest]
    for one in written:
        mine = tuple(move for move in lost if move.old == name_of(one))
        if mine:
            taken = any(move.first <= release <= move.last for move in mine)
            yield Moved(one, mine, taken)


def with_former_names(group: str, options: Iterable[cfg.Opt], release: int) -> list[cfg.Opt]:
    """The options of a section, taking the deprecated names that Nova's `release` takes as well."""
    return [_with_former_names(group, option, release) for option in options]


def _with_former_names(group: str, option: cfg.Opt, release: int) -> cfg.Opt:
    found = [
        cfg.DeprecatedOpt(name, group=section)
        for move in moves([(group, option.dest)])
        if move.first <= release <= move.last
        for section, name in [move.old]
    ]
    new = [one for one in found if one not in option.deprecated_opts]
    if not new:
        return option
    taking = copy.copy(option)
    taking.deprecated_opts = [*option.deprecated_opts, *new]
    return taking


def name_of(written: Written) -> Name:
    """As oslo.config compares names: sections in lower case, but for DEFAULT."""
    return lower(written.group), written.name


def lower(section: str) -> str:
    """A section's name as oslo.config compares it."""
    return section if section == "DEFAULT" else section.lower()


def shown(name: Name) -> str:
    """As people write it: ``[api] dhcp_domain``."""
    return f"[{name[0]}] {name[1]}"
