"""One service of OpenStack under uWSGI, on loopback: how all those of the lab run."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from support.servers.databases import end

HOST = "127.0.0.1"
_PATIENCE = 180.0  # seconds; a cold import takes three to ten, on a busy machine far more


class LabFailed(Exception):
    """A service or program did not do what was asked; the message holds the end of its log."""


class Uwsgi:
    """A service that can be stopped and started again; it keeps its port.

    Args:
        environment: the lab, see :func:`lab.environment.lab`.
        directory: where it runs, and writes ``uwsgi.log``.
        command: see :func:`command`.
        url: answers without a token once it is up.
        variables: of its environment, how it finds its configuration.
    """

    def __init__(
        self,
        environment: Path,
        directory: Path,
        command: Sequence[str],
        url: str,
        *,
        variables: Mapping[str, str],
    ) -> None:
        self._directory = directory
        self._command = command
        self._variables = environment_of(environment) | dict(variables)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = url

    def start(self) -> None:
        """Serve; returns when it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._variables, cwd=self._directory, stdout=log, stderr=log
            )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            if _answers(self.url):
                return
            time.sleep(0.1)
        self.stop()
        raise LabFailed(f"{self.url} does not answer: {self._log.read_text()[-3000:]}")

    def stop(self) -> None:
        """Serve no more. Stopping twice does no harm."""
        process, self._process = self._process, None
        if process is not None:
            end(process, 20)

    def pause(self) -> None:
        """Accept connections and answer nobody, until :meth:`resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Of its process, while it serves."""
        assert self._process is not None
        return self._process.pid

    @property
    def _log(self) -> Path:
        return self._directory / "uwsgi.log"


def command(environment: Path, port: int, *application: str, threads: int = 4) -> list[str]:
    """uWSGI with one process; `application` are its options that name what it serves."""
    return [
        str(environment / "bin" / "uwsgi"),
        # It keeps no connection; unless it says so, clients that reuse one see resets, and what
        # Nova leaves unanswered would take four seconds to tell.
        *("--http-socket", f"{HOST}:{port}"),
        *("--add-header", "Connection: close"),
        *options(*application, threads=threads),
    ]


def options(*application: str, threads: int) -> list[str]:
    """What does not depend on how it listens."""
    return [
        *application,
        *("--threads", str(threads)),
        *("--buffer-size", "65535"),
        "--enable-threads",
        "--die-on-term",
        "--need-app",
        "--disable-logging",
    ]


def run(
    environment: Path,
    directory: Path,
    program: str,
    *arguments: str,
    said: str = "",
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a program of the lab on the input `said`; its output.

    Raises:
        LabFailed: its exit code is not 0.
    """
    done = subprocess.run(
        [environment / "bin" / program, *arguments],
        env=environment_of(environment) | dict(variables or {}),
        cwd=directory,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LabFailed(f"{program} {' '.join(arguments[:2])}: {done.stderr[-3000:]}")
    return done.stdout


def environment_of(environment: Path) -> dict[str, str]:
    """The variables under which a program of the lab runs."""
    return {
        "PATH": f"{environment / 'bin'}:{os.defpath}",
        "VIRTUAL_ENV": str(environment),
        "UWSGI_VIRTUALENV": str(environment),
        "LC_ALL": "C.UTF-8",
    }


def _answers(url: str) -> bool:
    """Its own web server answers while the application is not there yet; that is no answer."""
    try:
        return requests.get(url, timeout=_PATIENCE).ok
    except requests.ConnectionError:
        return False
