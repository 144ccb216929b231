"""Guests in many networks who ask one chain, then the other, for the document of a boot."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat, takewhile
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench import storm
from bench.load import Load, middle
from bench.process import cpu
from bench.relay_chains import Chain
from bench.relay_cloud import Guest
from bench.setting import DOCUMENT
from support.relay.namespaces import METADATA

CROWD, ALONE = 20, 8  # who ask for the first time in a round: at once, one after the other
AT_ONCE = 8  # requests under way when hot: of twice as many, Neutron's agent turns some away
HOT, CROWDED, APART = "hot", "cold, all at once", "cold, one after the other"

_REQUEST = f"GET {DOCUMENT} HTTP/1.1\r\nHost: {METADATA}\r\nUser-Agent: bench\r\n"
_CLOSED = (f"{_REQUEST}Connection: close\r\n\r\n".encode(), 200)
_KEPT = (f"{_REQUEST}\r\n".encode(), 200)
_TRIES = 100  # after which a guest gives up

Ratios = Mapping[str, float]  # requests/s as a multiple of theirs, by what was asked


class _Told(NamedTuple):
    """One load of one chain: seconds of CPU are for each good answer, by whose they were."""

    load: Load
    cpu: Mapping[str, float]


_Measure = Callable[[Chain, int], _Told]  # told the number of the round


class Loads:
    """All loads for a number of networks; `rounds` of `seconds` each, of which the median is told.

    Attributes:
        guests: how many servers that takes.
    """

    def __init__(self, console: Console, *, rounds: int, seconds: int) -> None:
        self._console = console
        self._rounds = rounds
        self._seconds = seconds
        self.guests = (CROWD + ALONE) * (rounds + 1)  # of a round before the first, to warm up

    def tell(self, chains: Sequence[Chain], known: Sequence[Guest], where: str) -> Ratios:
        """Measure the chains in turn, theirs first, and print what came of it.

        `known` have never asked. Cold: each of them asks until it has been told, again if it was
        turned away. Hot: all of them, again and again.
        """
        for chain in chains:
            for alone in (False, True):
                self._cold(known, alone=alone)(chain, -1)
        kinds: Mapping[str, _Measure] = {
            f"{CROWDED}, a connection each": self._cold(known, alone=False),
            f"{APART}, a connection each": self._cold(known, alone=True),
            f"{HOT}, a connection each": self._hot(known, _CLOSED),
            f"{HOT}, connections kept": self._hot(known, _KEPT),
        }
        return {
            f"{where}, {kind}": self._compared(f"{where}, {kind}", chains, measure)
            for kind, measure in kinds.items()
        }

    def _cold(self, known: Sequence[Guest], *, alone: bool) -> _Measure:
        def measure(chain: Chain, number: int) -> _Told:
            fresh = known[(number + 1) * (CROWD + ALONE) :][: CROWD + ALONE]
            asking = fresh[CROWD:] if alone else fresh[:CROWD]
            return _measured(chain, asking, _until_told, at_once=1 if alone else len(asking))

        return measure

    def _hot(self, known: Sequence[Guest], question: storm.Question) -> _Measure:
        def measure(chain: Chain, _number: int) -> _Told:
            until = time.perf_counter() + self._seconds

            def questions(_guest: storm.Guest) -> storm.Boot:
                return takewhile(lambda _: time.perf_counter() < until, repeat(question))

            return _measured(chain, known, questions, at_once=AT_ONCE)

        return measure

    def _compared(self, title: str, chains: Sequence[Chain], measure: _Measure) -> float:
        told: dict[str, list[_Told]] = {chain.name: [] for chain in chains}
        for number in range(self._rounds):
            for chain in chains:
                told[chain.name].append(measure(chain, number))
        parts = list(chains[0].processes)
        names = ("requests/s", "x theirs", "p50 ms", "p99 ms", "errors", "CPU", *parts)
        table = Table("", *names, title=title)
        theirs, ours = (middle(each.load for each in found) for found in told.values())
        for name, m in zip(told, (theirs, ours), strict=True):
            table.add_row(
                name,
                f"{m.per_second:.0f}",
                f"{m.per_second / theirs.per_second:.1f}",
                f"{m.p50 * 1e3:.1f}",
                f"{m.p99 * 1e3:.1f}",
                str(m.errors),
                f"{m.cpu * 1e6:.0f}",
                *(f"{median(each.cpu[part] for each in told[name]) * 1e6:.0f}" for part in parts),
            )
        self._console.print(table)
        return ours.per_second / theirs.per_second


def _until_told(guest: storm.Guest) -> storm.Boot:
    return takewhile(lambda _: not guest.times, repeat(_CLOSED, _TRIES))


def _measured(
    chain: Chain,
    known: Iterable[Guest],
    questions: Callable[[storm.Guest], storm.Boot],
    *,
    at_once: int,
) -> _Told:
    guests = [storm.Guest(chain.town.connect(who)) for who in known]
    for guest in guests:
        guest.left = iter(questions(guest))
    before = {part: cpu(pids) for part, pids in chain.processes.items()}
    began = time.perf_counter()
    storm.run(guests, at_once=at_once)
    seconds = time.perf_counter() - began
    used = {part: cpu(pids) - before[part] for part, pids in chain.processes.items()}
    load = storm.summed(guests, seconds, sum(used.values()))
    answers = sum(len(guest.times) for guest in guests)
    return _Told(load, {part: each / answers for part, each in used.items()})
