"""The metadata service as an operator runs it: by its own command, or under uWSGI."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import pytest

from conformance.asking import ask
from support.parts import absent
from support.servers.databases import end, eventually, free_port

_BIN = Path(sys.executable).parent
SERVERS = ("firstlight", "uwsgi")


class Service(NamedTuple):
    """A service that answers."""

    port: int
    status_port: int
    pid: int
    log: Path


@contextmanager
def running(server: str, home: Path, store: Path, confs: Sequence[Path]) -> Iterator[Service]:
    """The service of these configuration files on this store, until the end of the block.

    Args:
        server: one of SERVERS.
        home: a directory for its own files.
        store: the SQLite file of instances.
        confs: files that come before the one which says where to listen.
    """
    port, status_port = free_port(), free_port()
    files = [*confs, _where(home, store, port, status_port)]
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(server, files, port),
            env=os.environ | {"FIRSTLIGHT_CONFIG_FILES": ";".join(map(str, files))},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home,
        )
    try:
        up = eventually(lambda: process.poll() is not None or _answers(port), 60)
        if process.poll() is not None or not up:
            pytest.fail(f"the service did not start under {server}:\n{log.read_text()[-3000:]}")
        yield Service(port, status_port, process.pid, log)
    finally:
        end(process, 30)


def instance_command(store: Path, home: Path, *arguments: str) -> None:
    """Run ``firstlight instance`` on this store."""
    conf = _where(home, store, 1, 1)
    command = [_BIN / "firstlight", "instance", *arguments, f"--config-file={conf}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _where(home: Path, store: Path, port: int, status_port: int) -> Path:
    conf = home / "where.conf"
    conf.write_text(
        f"[DEFAULT]\nmetadata_listen = 127.0.0.1\nmetadata_listen_port = {port}\n"
        f"[firstlight]\nstatus_port = {status_port}\naccess_log = {home}/access.log\n"
        f"[store]\nconnection = sqlite:///{store}\n"
    )
    return conf


def _command(server: str, files: Sequence[Path], port: int) -> list[str]:
    if server == "firstlight":
        return [f"{_BIN}/firstlight", "metadata", *(f"--config-file={file}" for file in files)]
    uwsgi = _BIN / "uwsgi"
    if not uwsgi.exists():
        absent("uwsgi is not in this environment (requirements/test.in)")
    return [
        str(uwsgi),
        f"--http-socket=127.0.0.1:{port}",
        "--module=firstlight.metadata.wsgi:application",
        "--threads=4",
        "--master",
        "--die-on-term",
        "--need-app",
        "--disable-logging",
        f"--home={sys.prefix}",
    ]


def _answers(port: int) -> bool:
    # No HTTP: on loopback a connection to a port that nobody has may be answered by itself.
    with suppress(OSError, HTTPException):
        return ask(port, "GET", "/").status == 200
    return False
