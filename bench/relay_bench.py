"""The whole chain from guests' networks to the metadata service, beside Neutron's and Nova's.

Theirs: haproxy in each network, neutron-metadata-agent, Nova's metadata service. Ours: `firstlight
broker`, `proxy`, `metadata`. Both ask the same real Neutron and the same databases, for the same
servers and ports, in network namespaces of the same making.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import repeat, takewhile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench import storm
from bench.load import Load, middle
from bench.process import cpu
from bench.relay_chains import Chain, our_metadata, our_relay, their_metadata, their_relay
from bench.relay_cloud import Cloud, a_cloud
from bench.relay_cloud import Guest as Who
from bench.relay_memory import tell_memory
from bench.relay_networks import Town
from bench.setting import DOCUMENT
from lab.environment import NoLab
from namespaces import METADATA

GUESTS = 24  # who ask for the first time in a round
AT_ONCE = 8  # requests under way at any time
MOST_ASKED = 50  # networks from which guests ask; with more, memory is measured alone
RATE, MEMORY = 10, 20  # times as good as theirs, which is what was asked for

_REQUEST = f"GET {DOCUMENT} HTTP/1.1\r\nHost: {METADATA}\r\nUser-Agent: bench\r\n"
CLOSED = (f"{_REQUEST}Connection: close\r\n\r\n".encode(), 200)
KEPT = (f"{_REQUEST}\r\n".encode(), 200)


class Told(NamedTuple):
    """One load of one chain: seconds of CPU are for each answer, by whose they were."""

    load: Load
    cpu: Mapping[str, float]


Measure = Callable[[Chain, int], Told]  # told the number of the round


def run(directory: Path, args: argparse.Namespace) -> None:
    """Every figure of this section; it says so if there is no Neutron to stand beside."""
    console = Console(width=140)
    try:
        _run(console, directory, args)
    except NoLab as reason:
        console.print(f"relay: SKIPPED, nothing was measured: {reason}")


def _run(console: Console, directory: Path, args: argparse.Namespace) -> None:
    counts = [count for count in sorted(args.networks) if count <= MOST_ASKED]
    groups = args.rounds + 1  # the first is there to warm up
    where = [place % count for count in counts for place in range(groups * GUESTS)]
    with ExitStack() as stack:
        cloud = stack.enter_context(a_cloud(directory, max(counts, default=1), where))
        with ExitStack() as running:
            chains = _chains(cloud, directory, running)
            for number, count in enumerate(counts):
                known = cloud.guests[number * groups * GUESTS :][: groups * GUESTS]
                _serve(chains, count)
                _tell_loads(console, chains, known, count, args)
        tell_memory(console, cloud, directory, sorted(args.networks))


def _chains(cloud: Cloud, directory: Path, stack: ExitStack) -> Sequence[Chain]:
    """Theirs, then ours; both run, and serve no network yet."""
    novas, novas_pid = stack.enter_context(their_metadata(cloud))
    ours, ours_pid = stack.enter_context(our_metadata(cloud, directory / "metadata"))
    towns = [stack.enter_context(Town(directory / name)) for name in ("town", "our-town")]
    theirs = their_relay(cloud, directory / "theirs", towns[0], novas)
    relays = [
        stack.enter_context(theirs),
        stack.enter_context(our_relay(cloud, directory / "ours", towns[1], ours)),
    ]
    return [
        Chain(relay, town, pid, cloud)
        for relay, town, pid in zip(relays, towns, (novas_pid, ours_pid), strict=True)
    ]


def _serve(chains: Iterable[Chain], count: int) -> None:
    for chain in chains:
        cloud = chain.cloud
        for network in cloud.networks[len(chain.town.networks) : count]:
            addresses = [who.address for who in cloud.guests if who.network == network]
            chain.town.network(network, addresses)
        chain.relay.serve(cloud.networks[:count])


def _tell_loads(
    console: Console,
    chains: Sequence[Chain],
    known: Sequence[Who],
    count: int,
    args: argparse.Namespace,
) -> None:
    groups = [known[first : first + GUESTS] for first in range(0, len(known), GUESTS)]

    def cold(chain: Chain, number: int) -> Told:
        return _measured(chain, groups[number + 1], lambda: [CLOSED])

    def hot(question: storm.Question) -> Measure:
        def measure(chain: Chain, _number: int) -> Told:
            until = time.perf_counter() + args.seconds
            return _measured(
                chain,
                known,
                lambda: takewhile(lambda _: time.perf_counter() < until, repeat(question)),
            )

        return measure

    for chain in chains:
        cold(chain, -1)
    for title, measure in {
        "cold, a connection each": cold,
        "hot, a connection each": hot(CLOSED),
        "hot, connections kept": hot(KEPT),
    }.items():
        _tell(console, f"{count} networks, {title}", chains, measure, args.rounds)


def _measured(chain: Chain, known: Iterable[Who], boot: Callable[[], storm.Boot]) -> Told:
    guests = [storm.Guest(chain.town.connect(who), boot()) for who in known]
    before = {name: cpu(pids) for name, pids in chain.processes.items()}
    began = time.perf_counter()
    storm.run(guests, at_once=AT_ONCE)
    seconds = time.perf_counter() - began
    used = {name: cpu(pids) - before[name] for name, pids in chain.processes.items()}
    load = storm.summed(guests, seconds, sum(used.values()))
    answers = load.per_second * seconds
    return Told(load, {name: each / answers for name, each in used.items()})


def _tell(
    console: Console, title: str, chains: Sequence[Chain], measure: Measure, rounds: int
) -> None:
    """Measure the two in turn, and print what came of it."""
    told: dict[str, list[Told]] = {chain.name: [] for chain in chains}
    for number in range(rounds):
        for chain in chains:
            told[chain.name].append(measure(chain, number))
    parts = list(chains[0].processes)
    table = Table(
        "", "requests/s", "x theirs", "p50 ms", "p99 ms", *parts, "all", "errors", title=title
    )
    theirs = middle(each.load for each in told[chains[0].name])
    for name, found in told.items():
        m = middle(each.load for each in found)
        table.add_row(
            name,
            f"{m.per_second:.0f}",
            f"{m.per_second / theirs.per_second:.1f}",
            f"{m.p50 * 1e3:.1f}",
            f"{m.p99 * 1e3:.1f}",
            *(f"{median(each.cpu[part] for each in found) * 1e6:.0f}" for part in parts),
            f"{m.cpu * 1e6:.0f}",
            str(m.errors),
        )
    console.print(table)
