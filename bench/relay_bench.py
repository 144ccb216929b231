"""The whole road from guests' networks to the metadata service, beside Neutron's and Nova's.

Theirs: haproxy in each network, neutron-metadata-agent, Nova's metadata service. Ours: `firstlight
broker`, `proxy`, `metadata`. Both ask the same real Neutron and the same databases, for the same
servers and ports, in network namespaces of the same making.
"""

import argparse
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from bench.relay_chains import (
    THREADS,
    WORKERS,
    Chain,
    our_metadata,
    our_relay,
    their_metadata,
    their_relay,
)
from bench.relay_cloud import Cloud, a_cloud
from bench.relay_load import APART, AT_ONCE, CROWDED, HOT, Loads, Ratios
from bench.relay_memory import tell_memory
from bench.relay_networks import Town
from lab.environment import NoLab

MOST_ASKED = 50  # networks from which guests ask; beyond, memory is measured alone
RATE, MEMORY, MANY = 10, 20, 500  # asked for: times as good as theirs; memory with so many networks
_PROGRAMS = ("haproxy", "ip", "nsenter", "unshare", "mariadbd", "rabbitmq-server")

_TOLD = f"""\
Theirs: haproxy in each network, neutron-metadata-agent with {WORKERS} workers, Nova's metadata
service under uWSGI with {THREADS} threads. Ours: broker, proxy with the agent in it, metadata
service. Behind both: Neutron (uWSGI, 1 RPC worker, RabbitMQ, Keystone) and MariaDB. Whatever a
server's document is made of is remembered for an hour by both; ports as long as each does by
default: theirs not at all, ours 10 s. Hot: {AT_ONCE} requests under way at a time. Cold: each guest
asks until it has its document, again if it is turned away. All of it, and what asks, is on the same
processors. CPU is in microseconds for each good answer.
"""


def run(directory: Path, args: argparse.Namespace) -> None:
    """Every figure of this section; it says so if it cannot be measured here."""
    console = Console(width=140)
    try:
        _check_machine()
        _run(console, directory, args)
    except NoLab as reason:
        console.print(f"relay: SKIPPED, nothing was measured: {reason}")


def _check_machine() -> None:
    """Raises NoLab, saying what this machine lacks."""
    if os.geteuid() != 0:
        raise NoLab("network namespaces need root")
    absent = [program for program in _PROGRAMS if shutil.which(program) is None]
    if absent:
        raise NoLab(f"not installed: {', '.join(absent)} (make system-deps)")


def _run(console: Console, directory: Path, args: argparse.Namespace) -> None:
    began = time.monotonic()
    counts = sorted(args.networks)
    asked = [count for count in counts if count <= MOST_ASKED]
    loads = Loads(console, rounds=args.rounds, seconds=args.seconds)
    where = [place % count for count in asked for place in range(loads.guests)]
    with a_cloud(directory, max(asked, default=1), where) as cloud:
        console.print(f"{_TOLD}Made in {time.monotonic() - began:.0f} s.")
        rates = _rates(cloud, directory, asked, loads) if asked else {}
        memory = tell_memory(console, cloud, directory, counts)
    _sum_up(console, rates, memory)
    console.print(f"relay: took {time.monotonic() - began:.0f} s")


def _rates(cloud: Cloud, directory: Path, counts: Sequence[int], loads: Loads) -> Ratios:
    found: dict[str, float] = {}
    with _chains(cloud, directory) as chains:
        for number, count in enumerate(counts):
            _serve(chains, count)
            known = cloud.guests[number * loads.guests :][: loads.guests]
            found |= loads.tell(chains, known, f"{count} network{'s' * (count > 1)}")
    return found


@contextmanager
def _chains(cloud: Cloud, directory: Path) -> Iterator[Sequence[Chain]]:
    """Theirs, then ours; both run, and serve no network yet."""
    with ExitStack() as stack:
        novas, novas_pid = stack.enter_context(their_metadata(cloud))
        ours, ours_pid = stack.enter_context(our_metadata(cloud, directory / "metadata"))
        their_town, our_town = (
            stack.enter_context(Town(directory / name)) for name in ("their-town", "our-town")
        )
        theirs = stack.enter_context(their_relay(cloud, directory / "theirs", their_town, novas))
        own = stack.enter_context(our_relay(cloud, directory / "ours", our_town, ours))
        yield [
            Chain(theirs, their_town, novas_pid, cloud),
            Chain(own, our_town, ours_pid, cloud),
        ]


def _serve(chains: Iterable[Chain], count: int) -> None:
    """Have each of them serve the first `count` networks."""
    for chain in chains:
        cloud = chain.cloud
        for network in cloud.networks[len(chain.town.networks) : count]:
            addresses = [who.address for who in cloud.guests if who.network == network]
            chain.town.network(network, addresses)
        chain.relay.serve(cloud.networks[:count])


def _sum_up(console: Console, rates: Ratios, memory: Mapping[int, float]) -> None:
    """What was asked for, and what has come of it."""
    for kind in (HOT, CROWDED, APART):
        found = [ratio for title, ratio in rates.items() if kind in title]
        if found:
            got = f"{min(found):.1f} x to {max(found):.1f} x"
            console.print(f"requests/s, {kind}: asked for >= {RATE} x theirs, got {got}")
    if MANY in memory:
        got = f"{memory[MANY]:.1f} x less"
        console.print(f"memory, {MANY} networks: asked for >= {MEMORY} x less, got {got}")
