"""Real Nova's metadata service beside ours, in one run: hot, cold, and many guests at once."""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import setting
from bench.load import Load, middle
from bench.load import run as load
from bench.nova_setting import Setting, beside_nova
from bench.process import Server
from bench.storm import storm
from firstlight.metadata.identity import sign
from guests.sequence import sequence
from lab.environment import NoLab
from lab.nova import SECRET

HOT = 100  # servers that the hot load asks for in turn
GUESTS = 40  # that boot at once
FOREVER, DEFAULT, NEVER = 3600, 15, 0  # seconds for which both remember: metadata_cache_expiration

Measure = Callable[[Server, int], Load]  # told the number of the round


def run(directory: Path, args: argparse.Namespace) -> None:
    """Every figure of this section; it says so if there is no Nova to stand beside."""
    console = Console()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})  # databases, load and stand-in; the services are on the first core
    try:
        with beside_nova(directory, max(HOT, GUESTS * args.rounds)) as found:
            console.print(found.told)
            _hot(console, directory, found, args)
            _cold(console, directory, found, args)
            _storm(console, found, args)
    except NoLab as reason:
        console.print(f"nova: SKIPPED, nothing was measured: {reason}")
    finally:
        os.sched_setaffinity(0, before)


def _hot(console: Console, directory: Path, found: Setting, args: argparse.Namespace) -> None:
    script = setting.wrk_script(directory, found.uuids[:HOT], "hot-nova", SECRET)

    def measure(server: Server, _round: int) -> Load:
        return _ask(server, script, args.seconds)

    with _both(found, FOREVER) as servers:
        for server in servers:
            storm(server, [[_request(uuid, setting.DOCUMENT, 200)] for uuid in found.uuids[:HOT]])
        _tell(console, "hot: meta_data.json, remembered by both", servers, measure, args.rounds)


def _cold(console: Console, directory: Path, found: Setting, args: argparse.Namespace) -> None:
    script = setting.wrk_script(directory, found.uuids, "cold-nova", SECRET)

    def measure(server: Server, _round: int) -> Load:
        return _ask(server, script, args.seconds)

    with _both(found, NEVER) as servers:
        for server in servers:
            storm(server, [[_request(found.uuids[0], setting.DOCUMENT, 200)]])
        _tell(console, "cold: meta_data.json, remembered by nobody", servers, measure, args.rounds)


def _storm(console: Console, found: Setting, args: argparse.Namespace) -> None:
    """Each round other guests, so that nobody knows them."""
    asked = [line.split() for line in sequence("22.4.2", "OpenStack")]

    def measure(server: Server, number: int) -> Load:
        uuids = found.uuids[number * GUESTS : (number + 1) * GUESTS]
        boots = [[_request(uuid, path, int(status)) for _, path, status in asked] for uuid in uuids]
        return storm(server, boots)

    with _both(found, DEFAULT) as servers:
        for server in servers:  # so that neither loads code while it is measured
            storm(server, [[_request(found.uuids[-1], "/openstack", 200)]])
        title = f"storm: {GUESTS} guests boot at once, {len(asked)} requests each"
        _tell(console, title, servers, measure, args.rounds)


@contextmanager
def _both(found: Setting, ttl: int) -> Iterator[tuple[Server, Server]]:
    with found.nova(ttl) as nova, found.ours(ttl) as ours:
        yield nova, ours


def _tell(
    console: Console, title: str, servers: Sequence[Server], measure: Measure, rounds: int
) -> None:
    """Measure the two in turn, and print what came of it."""
    loads: dict[Server, list[Load]] = {server: [] for server in servers}
    for number in range(rounds):
        for server, found in loads.items():
            found.append(measure(server, number))
    table = Table("", "requests/s", "x nova", "p99 ms", "CPU us/request", "errors", title=title)
    nova = middle(loads[servers[0]])
    for server, found in loads.items():
        m = middle(found)
        table.add_row(
            server.name,
            f"{m.per_second:.0f}",
            f"{m.per_second / nova.per_second:.1f}",
            f"{m.p99 * 1e3:.1f}",
            f"{m.cpu * 1e6:.0f}",
            str(m.errors),
        )
    console.print(table)


def _ask(server: Server, script: Path, seconds: int) -> Load:
    return load(server, setting.DOCUMENT, close=True, script=script, seconds=seconds)


def _request(uuid: str, path: str, status: int) -> tuple[bytes, int]:
    """As a metadata agent asks for a guest."""
    head = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Instance-ID: {uuid}\r\n"
        f"X-Instance-ID-Signature: {sign(SECRET, uuid).decode()}\r\n"
        f"X-Tenant-ID: {setting.PROJECT}\r\nX-Forwarded-For: 10.0.0.5\r\n\r\n"
    )
    return head.encode(), status
