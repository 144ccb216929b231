"""Real databases for tests: private, unprivileged, on loopback, gone with the session.

A conftest.py takes the fixtures it wants by importing them::

    from support.servers.databases import mariadb, postgresql  # noqa: F401  fixtures

pytest finds this module because pyproject.toml puts tests/ on its path.
"""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from support.parts import absent, need

_PATIENCE = 60  # seconds for a server to come up on a busy machine
_ROOM = 1 << 30  # bytes; a server's files take up to 150 MB


class Server:
    """One database server, which a test may stop, pause and start again."""

    def __init__(self, command: Sequence[str], user: str, url: str, log: Path, admin: str) -> None:
        self._command = command
        self._user = user
        self._log = log
        self._admin = admin  # a database that is there from the start
        self._process: subprocess.Popen[bytes] | None = None
        self.url = url  # with {database} in it

    def database(self, name: str) -> str:
        """Make an empty database; returns its URL."""
        engine = create_engine(self.url.format(database=self._admin), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
        finally:
            engine.dispose()
        return self.url.format(database=name)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                **_as(self._user),
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"{self._command[0]} did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End it, its connections with it, and wait until it has gone."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            # PostgreSQL: "immediate" for SIGQUIT, "fast" for SIGINT; MariaDB knows SIGTERM.
            process.send_signal(signal.SIGINT if "postgres" in self._command[0] else signal.SIGTERM)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def pid(self) -> int:
        """Of its first process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def pause(self) -> None:
        """Make it hang: connections stay open, nothing is answered."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """End the pause."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        for pid in [self._process.pid, *_children(self._process.pid)]:
            os.kill(pid, number)

    def _answers(self) -> bool:
        engine = create_engine(self.url.format(database=self._admin))
        try:
            with engine.connect():
                return True
        except Exception:  # noqa: BLE001  not yet, for whatever reason; the deadline is the judge
            return False
        finally:
            engine.dispose()


def _children(parent: int) -> list[int]:
    """PostgreSQL's backends are processes of their own."""
    found = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in found.read_text().split()]


def _as(user: str) -> dict[str, Any]:
    """How to run as this user; these servers refuse to be root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _home(user: str) -> Path:
    """A directory of the server's user. Not among pytest's, which are closed to other users."""
    home = Path(tempfile.mkdtemp(prefix=f"firstlight-{user}-", dir=_memory()))
    if os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            home.rmdir()
            absent(f"there is no user {user}, and the server refuses to be root")
        os.chown(home, entry.pw_uid, entry.pw_gid)
    return home


def _memory() -> Path | None:
    """Where files are in memory, if there is room for several servers; else None, for /tmp.

    MariaDB waits for the disk with each table that is made or changed, fifteen times as long as it
    works for it, and no option of its own ends that; migrations make and change hundreds.
    """
    shared = Path("/dev/shm")
    usable = shared.is_mount() and os.access(shared, os.W_OK)
    return shared if usable and shutil.disk_usage(shared).free > _ROOM else None


def _install(command: Sequence[str | Path], user: str) -> None:
    """Make a server's data directory."""
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", **_as(user))
    if done.returncode != 0:
        pytest.fail(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def end(process: subprocess.Popen[bytes], patience: float) -> None:
    """SIGTERM, and if it has not ended after so many seconds SIGKILL; returns when it has."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_GIVEN: deque[int] = deque(maxlen=500)  # ports, the latest last


def free_port() -> int:
    """A TCP port on loopback that nobody listens on, and that no connection is given as its own.

    Below the range of those: who polls such a port before its server is up would sooner or later be
    connected to itself, and then the server finds the port taken. Not one that this process, or a
    tier in another lane (tools/tiers.py), was given and has not used yet.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    lane, lanes = map(int, os.environ.get("FIRSTLIGHT_LANE", "0/1").split("/"))
    while True:
        port = random.choice(range(lowest * 2 // 3 // lanes * lanes + lane, lowest, lanes))
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            if port not in _GIVEN:
                _GIVEN.append(port)
                return port


def _postgresql_program(name: str) -> str:
    """Debian keeps the server's programs out of PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(versions[-1]) if versions else need(name)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running PostgreSQL."""
    initdb, postgres = _postgresql_program("initdb"), _postgresql_program("postgres")
    home = _home("postgres")
    port = free_port()
    options = ["-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
    _install([initdb, "-D", home / "data", *options], "postgres")
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": home,
        "shared_buffers": "16MB",
        "max_connections": 60,
        "fsync": "off",  # the machine does not lose power during a test
    }
    command = [postgres, "-D", str(home / "data")]
    command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    url = f"postgresql+psycopg://tester:@127.0.0.1:{port}/{{database}}"
    yield from _running(Server(command, "postgres", url, home / "log", "postgres"), home)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """A running MariaDB."""
    with a_mariadb() as server:
        yield server


@contextmanager
def a_mariadb() -> Iterator[Server]:
    """A MariaDB that runs until the block ends."""
    install, mariadbd = need("mariadb-install-db"), need("mariadbd")
    home = _home("mysql")
    port = free_port()
    common = ["--no-defaults", f"--datadir={home}/data"]
    options = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    _install([install, *common, *options], "mysql")
    command = [
        mariadbd,
        *common,
        "--bind-address=127.0.0.1",
        f"--port={port}",
        f"--socket={home}/socket",
        f"--pid-file={home}/pid",
        "--innodb-buffer-pool-size=16M",
        "--innodb-log-file-size=8M",
        "--innodb-flush-log-at-trx-commit=0",
        "--performance-schema=off",
        "--skip-name-resolve",
    ]
    url = f"mysql+pymysql://root@127.0.0.1:{port}/{{database}}"
    yield from _running(Server(command, "mysql", url, home / "log", "mysql"), home)


def _running(server: Server, home: Path) -> Iterator[Server]:
    (home / "log").touch()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def eventually(promise: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether `promise` comes true in time; a bound for broken code, not a measurement.

    It is looked at less often the longer that takes: mostly a server is asked, which has to work
    for each answer while it should become ready.
    """
    began = time.monotonic()
    while not promise():
        waited = time.monotonic() - began
        if waited > seconds:
            return False
        time.sleep(min(0.01 + waited / 10, 0.2))
    return True
