"""Real memcached, redis and RabbitMQ for tests: private, on loopback, ended by their ids.

A conftest.py takes the fixtures it wants by importing them, as those of :mod:`servers`.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from support.parts import need
from support.servers.databases import eventually, free_port

_PATIENCE = 120  # seconds for a server to come up on a busy machine


class Daemon:
    """One server on `port`, which a test may stop, pause and start again."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        log: Path,
        *,
        environ: Mapping[str, str] | None = None,
        answers: Callable[[int], bool] | None = None,
        end: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._command = command
        self._log = log
        self._environ = {**os.environ, **(environ or {})}
        self._answers = answers or accepts
        self._end = end
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environ,
                cwd=self._log.parent,
            )
        process = self._process
        if not eventually(
            lambda: process.poll() is not None or self._answers(self.port), _PATIENCE
        ) or not self._answers(self.port):
            self.stop()
            pytest.fail(f"{self._command[0]} did not start:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it, and whatever it has started, and wait until it has gone."""
        process, self._process = self._process, None
        if process is None:
            return
        self._signal(process, self._end)
        try:
            process.wait(_PATIENCE)
        finally:
            self._signal(process, signal.SIGKILL)
            process.wait()

    @property
    def pid(self) -> int:
        """Of its first process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def pause(self) -> None:
        """Make it hang: connections stay open, nothing is answered."""
        assert self._process is not None
        self._signal(self._process, signal.SIGSTOP)
        tasks = Path(f"/proc/{self._process.pid}/task")
        assert eventually(lambda: all(_stopped(task) for task in tasks.iterdir()), _PATIENCE)

    def resume(self) -> None:
        """End the pause."""
        assert self._process is not None
        self._signal(self._process, signal.SIGCONT)

    @staticmethod
    def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
        """To its session, which is its own: RabbitMQ is a shell with Erlang in it."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _stopped(task: Path) -> bool:
    return (task / "stat").read_text().rpartition(")")[2].split()[0] == "T"


def accepts(port: int) -> bool:
    """Whether somebody listens on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def running(make: Callable[[Path, int], Daemon]) -> Iterator[Daemon]:
    """A daemon in a directory of its own, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="firstlight-daemon-"))
    daemon = make(home, free_port())
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Daemon]:
    """A running RabbitMQ with the user guest."""
    with a_rabbitmq() as broker:
        yield broker


def memcached_at(home: Path, port: int) -> Daemon:
    """memcached, not started yet."""
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [need("memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", *user]
    return Daemon(command, port, home / "log", end=signal.SIGKILL)  # it takes a second to think


def redis_at(home: Path, port: int) -> Daemon:
    """redis, not started yet."""
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(home)]
    command = [need("redis-server"), "--port", str(port), *options]
    return Daemon(command, port, home / "log", end=signal.SIGKILL)


@contextmanager
def a_rabbitmq(settings: str = "") -> Iterator[Daemon]:
    """A RabbitMQ that runs until the block ends; `settings` are more lines of its rabbitmq.conf."""
    need("rabbitmq-server")
    # Erlang's port mapper would stay behind; here it is a daemon of ours as well.
    for mapper in running(_epmd_at):
        yield from running(partial(_rabbitmq_at, mapper=mapper.port, settings=settings))


def _epmd_at(home: Path, port: int) -> Daemon:
    command = [need("epmd"), "-address", "127.0.0.1", "-port", str(port)]
    return Daemon(command, port, home / "log")


def _rabbitmq_at(home: Path, port: int, mapper: int, settings: str) -> Daemon:
    name = f"firstlight{port}@localhost"
    (home / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = true\n"
        "disk_free_limit.absolute = 1MB\nvm_memory_high_watermark.absolute = 512MB\n"
        f"{settings}"
    )
    (home / "enabled_plugins").write_text("[].\n")
    environ = {
        "HOME": str(home),  # where Erlang keeps its cookie
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "logs"),
        "RABBITMQ_SCHEMA_DIR": str(home / "schema"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
    }
    # /usr/sbin/rabbitmq-server changes the user; this is what it runs.
    server = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    command = [str(server) if server.exists() else need("rabbitmq-server")]
    return Daemon(command, port, home / "log", environ=environ, answers=_speaks_amqp)


def _speaks_amqp(port: int) -> bool:
    """RabbitMQ listens a while before it answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as probe:
            probe.sendall(b"AMQP\0\0\x09\x01")
            return probe.recv(1) == b"\x01"
    except OSError:
        return False
