"""``firstlight vendordata`` in nova-pollinate's place, with plug-ins of third parties installed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from support.providers import pollinate_cases as cases
from support.servers.databases import eventually, free_port

PATIENCE = 60  # seconds for a service to come up on a busy machine
BIN = Path(sys.executable).parent
Command = Callable[[Path, int], list[str]]


@dataclass(frozen=True)
class Pollinate:
    """A running service, and where it logs."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]


def by_name(_conf: Path, _port: int) -> list[str]:
    """The command that nova-pollinate had."""
    return [str(BIN / "pollinate")]


def with_file(conf: Path, _port: int) -> list[str]:
    """Our own command, with nova-pollinate's file."""
    return [str(BIN / "firstlight"), "vendordata", "--config-file", str(conf)]


def ini(sections: Mapping[str, Mapping[str, object]]) -> str:
    """A configuration file."""
    blocks = (
        "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])
        for name, options in sections.items()
    )
    return "\n".join(blocks)


@contextmanager
def start(
    directory: Path,
    options: Mapping[str, object],
    *,
    command: Command = with_file,
    environ: Mapping[str, str] | None = None,
    more: Mapping[str, Mapping[str, object]] | None = None,
    port: int | None = None,
) -> Iterator[Pollinate]:
    """Serve with a nova-pollinate.conf of these options, until the end of the block.

    `environ` is added to the environment; `more` are further sections of the file.
    """
    port = port or free_port()
    conf = directory / "nova-pollinate.conf"
    sections = {
        "DEFAULT": options,
        "flask": {"host": "127.0.0.1", "port": port},
        "service_auth": cases.SERVICE_AUTH,
        "firstlight": {"status_port": 0},
        **(more or {}),
    }
    conf.write_text(ini(sections))
    installed = directory / "installed"
    if not installed.exists():
        installed.mkdir()
        cases.install(installed)
    log = directory / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command(conf, port),
            env=os.environ | {"PYTHONPATH": str(installed)} | dict(environ or {}),
            cwd=directory,
            stdout=output,
            stderr=output,
        )
    service = Pollinate(f"http://127.0.0.1:{port}", log, process)
    try:
        assert eventually(lambda: answers(service) or process.poll() is not None, PATIENCE)
        assert process.poll() is None, log.read_text()
        yield service
    finally:
        process.terminate()
        process.wait(20)


def answers(service: Pollinate, path: str = "/healthcheck") -> bool:
    """Whether anybody does, and is well."""
    return answers_at(service.url, path)


def answers_at(url: str, path: str = "/healthcheck") -> bool:
    """Whether anybody does, there, and is well."""
    try:
        return requests.get(url + path, timeout=10).ok
    except requests.ConnectionError:
        return False
