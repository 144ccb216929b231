"""Servers as processes: started, waited for, measured by the CPU they use, ended."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A process (and its children) that listens on `port`, pinned to the first core."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        port: int,
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.name = name
        self.port = port
        began = time.monotonic()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["taskset", "-c", "0", *map(str, command)],
                stdout=output,
                stderr=output,
                env=env,
                cwd=directory,
                start_new_session=True,
            )
        self._wait(log)
        self.startup = time.monotonic() - began

    def _wait(self, log: Path) -> None:
        for _ in range(1500):
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended at once:\n{log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise SystemExit(f"{self.name} does not listen on {self.port}:\n{log.read_text()}")

    def cpu(self) -> float:
        """Seconds of CPU that the process and its children have used."""
        return cpu([self.process.pid])

    def rss(self) -> int:
        """Bytes of memory that the process and its children occupy."""
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
            for pid in _tree(self.process.pid)
        )

    def stop(self) -> None:
        """End it, and whatever it started."""
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def cpu(pids: Iterable[int]) -> float:
    """Seconds of CPU that these processes and their children have used."""
    return sum(_cpu(pid) for parent in pids for pid in _tree(parent))


def memory(pids: Iterable[int]) -> int:
    """Bytes that these processes and their children occupy; what several share is divided."""
    return sum(_share(pid) for parent in pids for pid in _tree(parent))


def _share(pid: int) -> int:
    """PSS: proc(5)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    [line] = [line for line in rollup.splitlines() if line.startswith("Pss:")]
    return int(line.split()[1]) * 1024


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _tree(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")  # any thread may have started one
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(each for child in children for each in _tree(child))]
