"""Real Nova's metadata service beside ours, in one run: hot, cold, vendor data, and many guests."""

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
from bench.neutron import LATENCY
from bench.nova_setting import TARGETS, Setting, beside_nova
from bench.process import Server
from bench.storm import Boot, storm
from firstlight.metadata.identity import sign
from guests.sequence import sequence
from lab.environment import NoLab
from lab.nova import SECRET

HOT = 100  # servers that the hot load asks for in turn
GUESTS = 40  # that boot at once
COLD_SECONDS = 10  # at least: Nova takes up to a second for each, and those under way do not count
VENDOR_DATA = "/openstack/latest/vendor_data2.json"
FOREVER, DEFAULT, NEVER = 3600, 15, 0  # seconds for which both remember: metadata_cache_expiration

Measure = Callable[[Server, int], Load]  # told the number of the round
MODES = {False: "connections kept where the service keeps them", True: "a connection each"}


def run(directory: Path, args: argparse.Namespace) -> None:
    """Every figure of this section; it says so if there is no Nova to stand beside."""
    console = Console()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})  # databases, load and stand-in; the services are on the first core
    try:
        with beside_nova(directory, max(HOT, GUESTS * (args.rounds + 1))) as found:
            console.print(found.told)
            _hot(console, directory, found, args)
            _cold(console, directory, found, args)
            _vendor_data(console, directory, found, args)
            for close in MODES:
                _storm(console, found, args, close=close)
    except NoLab as reason:
        console.print(f"nova: SKIPPED, nothing was measured: {reason}")
    finally:
        os.sched_setaffinity(0, before)


def _hot(console: Console, directory: Path, found: Setting, args: argparse.Namespace) -> None:
    """What both remember, for each way to connect."""
    script = setting.wrk_script(directory, found.uuids[:HOT], "hot-nova", SECRET)
    with _both(found, FOREVER) as servers:
        _warm(servers, found.uuids[:HOT], setting.DOCUMENT)
        for close, mode in MODES.items():
            measure = _asking(script, args.seconds, close=close)
            _tell(console, f"hot: meta_data.json, {mode}", servers, measure, args.rounds)


def _cold(console: Console, directory: Path, found: Setting, args: argparse.Namespace) -> None:
    """Nobody remembers anything."""
    script = setting.wrk_script(directory, found.uuids, "cold-nova", SECRET)
    with _both(found, NEVER) as servers:
        _warm(servers, found.uuids[:GUESTS], setting.DOCUMENT)
        measure = _asking(script, max(args.seconds, COLD_SECONDS))
        _tell(console, f"cold: meta_data.json, {MODES[False]}", servers, measure, args.rounds)


def _vendor_data(
    console: Console, directory: Path, found: Setting, args: argparse.Namespace
) -> None:
    """Targets that take their time: Nova asks them for each request. Then ours, as hot as ever?"""
    script = setting.wrk_script(directory, found.uuids[:HOT], "vendor-nova", SECRET)
    seconds = max(args.seconds, COLD_SECONDS)
    with _both(found, FOREVER, dynamic=True) as servers:
        _warm(servers, found.uuids[:HOT], VENDOR_DATA)
        title = f"{len(TARGETS)} targets of {LATENCY * 1e3:.0f} ms, asked before: "
        measure = _asking(script, seconds, VENDOR_DATA)
        _tell(console, f"{title}vendor_data2.json", servers, measure, args.rounds)
        measure = _asking(script, args.seconds)
        _tell(console, f"{title}meta_data.json", servers, measure, args.rounds)


def _warm(servers: Sequence[Server], uuids: Sequence[str], path: str) -> None:
    for server in servers:
        storm(server, [[_request(uuid, path)] * 2 for uuid in uuids])


def _storm(console: Console, found: Setting, args: argparse.Namespace, *, close: bool) -> None:
    """Each round other guests, so that nobody knows them; the first round is not counted."""
    asked = [line.split() for line in sequence("22.4.2", "OpenStack")]

    def measure(server: Server, number: int) -> Load:
        uuids = found.uuids[number * GUESTS : (number + 1) * GUESTS]
        return storm(server, [_boot(uuid, asked, close=close) for uuid in uuids])

    with _both(found, DEFAULT) as servers:
        for server in servers:
            measure(server, args.rounds)
        title = f"storm: {GUESTS} guests boot at once, {len(asked)} requests each, {MODES[close]}"
        _tell(console, title, servers, measure, args.rounds)


@contextmanager
def _both(found: Setting, ttl: int, *, dynamic: bool = False) -> Iterator[tuple[Server, Server]]:
    with found.nova(ttl, dynamic=dynamic) as nova, found.ours(ttl, dynamic=dynamic) as ours:
        yield nova, ours


def _asking(
    script: Path, seconds: int, path: str = setting.DOCUMENT, *, close: bool = False
) -> Measure:
    return lambda server, _round: load(server, path, close=close, script=script, seconds=seconds)


def _tell(
    console: Console, title: str, servers: Sequence[Server], measure: Measure, rounds: int
) -> None:
    """Measure the two in turn, and print what came of it."""
    loads: dict[Server, list[Load]] = {server: [] for server in servers}
    for number in range(rounds):
        for server, found in loads.items():
            found.append(measure(server, number))
    names = ("", "requests/s", "x nova", "p99 ms", "CPU us/request", "nova's x ours", "errors")
    table = Table(*names, title=title)
    nova = middle(loads[servers[0]])
    for server, found in loads.items():
        m = middle(found)
        table.add_row(
            server.name,
            f"{m.per_second:.0f}",
            f"{m.per_second / nova.per_second:.1f}",
            f"{m.p99 * 1e3:.1f}",
            f"{m.cpu * 1e6:.0f}",
            f"{nova.cpu / m.cpu:.1f}",
            str(m.errors),
        )
    console.print(table)


def _boot(uuid: str, asked: Sequence[Sequence[str]], *, close: bool) -> Boot:
    return [_request(uuid, path, int(status), close=close) for _method, path, status in asked]


def _request(uuid: str, path: str, status: int = 200, *, close: bool = False) -> tuple[bytes, int]:
    """As a metadata agent asks for a guest, and the status it must get."""
    connection = "Connection: close\r\n" if close else ""
    head = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\n{connection}X-Instance-ID: {uuid}\r\n"
        f"X-Instance-ID-Signature: {sign(SECRET, uuid).decode()}\r\n"
        f"X-Tenant-ID: {setting.PROJECT}\r\nX-Forwarded-For: 10.0.0.5\r\n\r\n"
    )
    return head.encode(), status
