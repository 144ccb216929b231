"""Load from wrk, on the second core: requests/s, p99, and what each request cost the server."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.process import Server

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Load(NamedTuple):
    """One run of wrk."""

    per_second: float
    p50: float  # seconds
    p99: float  # seconds
    cpu: float  # seconds of the server's CPU a request
    errors: int


def run(
    server: Server,
    path: str,
    *,
    close: bool = False,
    seconds: int = 3,
    connections: int = 16,
    script: Path | None = None,
) -> Load:
    """Ask `server` for `path` as fast as it answers; `close`: on a connection for each request."""
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}"]
    command += ["--latency", "--timeout", "30s"]  # late is late, not lost
    if close:
        command += ["-H", "Connection: close"]
    if script is not None:
        command += ["-s", str(script)]
    before = server.cpu()
    output = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}{path}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used = server.cpu() - before
    requests = int(_find(r"(\d+) requests in", output))
    failed = sum(
        int(number)
        for pattern in (r"Non-2xx or 3xx responses: (\d+)", r"read (\d+)", r"timeout (\d+)")
        for number in re.findall(pattern, output)
    )
    return Load(
        float(_find(r"Requests/sec:\s+([\d.]+)", output)),
        _seconds(_find(r"(?m)^ +50% +(\S+)", output)),
        _seconds(_find(r"(?m)^ +99% +(\S+)", output)),
        used / max(requests, 1),
        failed,
    )


def middle(loads: Iterable[Load]) -> Load:
    """The median of each figure; errors are added up."""
    columns = list(zip(*loads, strict=True))
    return Load(*(median(column) for column in columns[:4]), errors=sum(columns[4]))


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"wrk said nothing like {pattern}:\n{text}")
    return found.group(1)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if found is None:
        raise SystemExit(f"wrk gave a time of {text}")
    return float(found.group(1)) * _UNITS[found.group(2)]
