"""The metadata service beside the bare wire, granian and nginx."""

import argparse
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from rich.console import Console
from rich.table import Table

from bench import setting
from bench.load import Load, middle
from bench.load import run as load
from bench.paced import Times, ask_steadily
from bench.process import Server
from firstlight.metadata.identity import sign

HOT = 100  # instances that the hot load asks for in turn
PER_SECOND = 500  # of the steady load
COLD_AT_ONCE = 50
HALF_SENT = 200


def run(directory: Path, args: argparse.Namespace) -> None:
    """Every figure of this section."""
    console = Console()
    console.print(f"store: {args.instances} instances; median of {args.rounds} x {args.seconds} s")
    uuids = setting.fill(directory, args.instances)
    hot = setting.wrk_script(directory, uuids[:HOT])
    with ExitStack() as stack:
        ours = stack.enter_context(setting.metadata(directory))
        peers = {
            ours: (setting.DOCUMENT, hot),
            stack.enter_context(setting.bare_wire(directory)): ("/", None),
            stack.enter_context(setting.granian(directory)): ("/", None),
            stack.enter_context(setting.nginx(directory)): ("/document", None),
        }
        _side_by_side(console, directory, peers, args)
    _under_strain(console, directory, uuids, args)
    _memory(console, directory, uuids)
    _cold(console, directory, uuids, args)


def _side_by_side(
    console: Console,
    directory: Path,
    peers: dict[Server, tuple[str, Path | None]],
    args: argparse.Namespace,
) -> None:
    """As fast as each can, and at the same rate for all.

    Flat out, a server that is slower than wrk has to wake wrk for every answer and pays for it; one
    that is faster does not. At the same rate all pay alike.
    """
    paced = {
        server: (path, setting.paced(directory, script, server.name))
        for server, (path, script) in peers.items()
    }
    for rate, asked, connections in (("flat out", peers, 16), ("same rate", paced, 8)):
        for close in (False, True):
            loads: dict[Server, list[Load]] = {server: [] for server in asked}
            for _ in range(args.rounds):  # interleaved: a noisy neighbour disturbs everyone
                for server, (path, script) in asked.items():
                    found = load(
                        server,
                        path,
                        close=close,
                        script=script,
                        seconds=args.seconds,
                        connections=connections,
                    )
                    loads[server].append(found)
            mode = "a connection for each request" if close else "keep-alive"
            console.print(_table(f"{mode}, {rate}", loads))


def _table(title: str, loads: dict[Server, list[Load]]) -> Table:
    nginx = middle(next(found for s, found in loads.items() if s.name.startswith("nginx")))
    table = Table("", "CPU us/request", "x nginx", "requests/s", "p99 ms", "errors", title=title)
    for server, found in loads.items():
        m = middle(found)
        table.add_row(
            server.name,
            f"{m.cpu * 1e6:.1f}",
            f"{m.cpu / nginx.cpu:.2f}",
            f"{m.per_second:.0f}",
            f"{m.p99 * 1e3:.2f}",
            str(m.errors),
        )
    return table


def _under_strain(
    console: Console, directory: Path, uuids: list[str], args: argparse.Namespace
) -> None:
    """Hot answers at a steady rate: alone, beside cold work that waits, beside cold work.

    The cache holds the hot instances and not the others, so that these are always cold.
    """
    cold = setting.wrk_script(directory, uuids[HOT:], "strain")
    request = _request(uuids[0])
    strains: dict[str, Callable[[Server], AbstractContextManager[object]]] = {
        "alone": lambda _ours: nullcontext(),
        "beside those that wait": lambda ours: _waiting(ours, uuids[1]),
        "beside those that are read": lambda ours: _cold_reads(ours, cold, args.seconds),
    }
    found: dict[str, list[Times]] = {name: [] for name in strains}
    with (
        _deaf_target() as target,
        setting.metadata(directory, name="strain", cache_mib=4, target=target) as ours,
    ):
        for _ in range(args.rounds):
            for name, strain in strains.items():
                with strain(ours):
                    found[name].append(_steady(ours, request, args))
    table = Table("", "p50 ms", "p99 ms", "p99 x alone", "p99.9 ms")
    table.title = (
        f"hot, {PER_SECOND} requests/s; strain: {COLD_AT_ONCE} cold requests in flight "
        f"and {HALF_SENT} half-sent ones"
    )
    alone = median(times.p99 for times in found["alone"])
    for name, several in found.items():
        p50, p99, p999 = (median(column) for column in zip(*several, strict=True))
        table.add_row(
            name, f"{p50 * 1e3:.2f}", f"{p99 * 1e3:.2f}", f"{p99 / alone:.2f}", f"{p999 * 1e3:.2f}"
        )
    console.print(table)


def _steady(ours: Server, request: bytes, args: argparse.Namespace) -> Times:
    return ask_steadily(ours.port, request, per_second=PER_SECOND, seconds=args.seconds)


@contextmanager
def _cold_reads(ours: Server, script: Path, seconds: int) -> Iterator[None]:
    """Keep COLD_AT_ONCE requests for instances that are not in memory in flight."""
    thread = threading.Thread(
        target=load,
        args=(ours, setting.DOCUMENT),
        kwargs={"script": script, "seconds": seconds + 1, "connections": COLD_AT_ONCE},
    )
    thread.start()
    sleep(0.5)  # until they are in flight
    with _half_sent(ours.port):
        yield
    thread.join()


@contextmanager
def _waiting(ours: Server, uuid: str) -> Iterator[None]:
    """Keep COLD_AT_ONCE requests in flight that wait for a target which never answers."""
    asked = _request(uuid).replace(b"meta_data", b"vendor_data2")
    with ExitStack() as stack:
        for _ in range(COLD_AT_ONCE):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", ours.port)))
            one.sendall(asked)
        with _half_sent(ours.port):
            yield


@contextmanager
def _deaf_target() -> Iterator[str]:
    """A vendordata target that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as deaf:
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}/"


@contextmanager
def _half_sent(port: int) -> Iterator[None]:
    """Keep HALF_SENT connections open that never finish their request."""
    with ExitStack() as stack:
        for _ in range(HALF_SENT):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            half.sendall(b"GET /openstack HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        yield


def _headers(uuid: str) -> dict[str, str]:
    return {
        "X-Instance-ID": uuid,
        "X-Instance-ID-Signature": sign(setting.SECRET, uuid).decode(),
        "X-Tenant-ID": setting.PROJECT,
    }


def _request(uuid: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in _headers(uuid).items())
    return f"GET {setting.DOCUMENT} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode()


def _get(connection: HTTPConnection, uuid: str) -> int:
    connection.request("GET", setting.DOCUMENT, headers=_headers(uuid))
    response = connection.getresponse()
    response.read()
    return response.status


def _memory(console: Console, directory: Path, uuids: list[str]) -> None:
    with setting.metadata(directory, name="memory") as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        _get(connection, uuids[0])
        empty = server.rss()
        asked = uuids[1:2001]
        for uuid in asked:
            _get(connection, uuid)
        each = (server.rss() - empty) / len(asked)
        console.print(
            f"memory: {empty / 2**20:.0f} MiB at rest, {each * 1000 / 2**20:.1f} MiB for 1,000 "
            f"cached instances; start-up {server.startup:.2f} s"
        )


def _cold(console: Console, directory: Path, uuids: list[str], args: argparse.Namespace) -> None:
    with setting.metadata(directory, ttl=0, name="cold") as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        times = []
        for uuid in uuids[:1000]:
            began = perf_counter()
            _get(connection, uuid)
            times.append(perf_counter() - began)
        script = setting.wrk_script(directory, uuids[:HOT], "cold")
        many = load(server, setting.DOCUMENT, script=script, seconds=args.seconds)
    times.sort()
    console.print(
        f"cold read (no cache): one at a time median {times[len(times) // 2] * 1e3:.2f} ms, "
        f"p99 {times[len(times) * 99 // 100] * 1e3:.2f} ms; "
        f"16 at a time {many.per_second:.0f} requests/s, {many.cpu * 1e6:.0f} us CPU each"
    )
