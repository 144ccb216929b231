"""The vendordata service beside real nova-pollinate: the same plug-ins, the same questions.

nova-pollinate is in no package index: FIRSTLIGHT_POLLINATE names an environment that has it, with
gunicorn. Without it only ours is measured, and that is said.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.load import Load, middle
from bench.load import run as ask
from bench.process import Server, free_port
from bench.setting import BIN, running
from support.providers import pollinate_cases as cases

_PLUGINS = '''
import time
from pollinate.providers import PollinateProvider

class Waiting(PollinateProvider):
    """Answers after a tenth of a second, as what asks another service does."""
    def run(self, context):
        time.sleep(0.1)
        return {"waited": context["project-id"]}

class One(Waiting):
    name = "one"

class Two(Waiting):
    name = "two"

class Three(Waiting):
    name = "three"
'''
_ENTRY_POINTS = "one = slow_plugins:One\ntwo = slow_plugins:Two\nthree = slow_plugins:Three\n"

# What is asked for, and how many ask at a time.
WORK = {"two quick plug-ins": ("site,motd", 8), "three of 100 ms": ("one,two,three", 4)}


def run(directory: Path, args: argparse.Namespace) -> None:
    """Measure and print."""
    console = Console()
    theirs = os.environ.get("FIRSTLIGHT_POLLINATE")
    if not theirs:
        console.print(
            "nova-pollinate itself is not measured: it is in no package index. "
            "FIRSTLIGHT_POLLINATE names an environment that has it, with gunicorn."
        )
    installed = _install(directory)
    script = _script(directory)
    table = Table(title="POST /, one core: requests a second, answer times, CPU a request")
    for column in ("work", "service", "req/s", "p50 ms", "p99 ms", "CPU ms", "errors"):
        table.add_column(column)
    for work, (providers, connections) in WORK.items():
        for name, command in _commands(theirs).items():
            with _service(name, command, directory, installed, providers) as server:
                ask(server, "/", seconds=1, connections=connections, script=script)  # to warm up
                loads = [
                    ask(server, "/", seconds=args.seconds, connections=connections, script=script)
                    for _ in range(args.rounds)
                ]
            table.add_row(work, name, *_cells(middle(loads)))
    console.print(table)


def _commands(theirs: str | None) -> Mapping[str, list[str | Path]]:
    gunicorn = ["--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
    module = ["--log-level", "error", "pollinate.wsgi:application"]
    commands: dict[str, list[str | Path]] = {
        "firstlight": [BIN / "pollinate"],
        "firstlight, gunicorn": [BIN / "gunicorn", *gunicorn, *module],
    }
    if theirs:
        # As its container starts it, but one worker: there is one core.
        commands["nova-pollinate, gunicorn"] = [Path(theirs, "bin/gunicorn"), *gunicorn, *module]
    return commands


@contextmanager
def _service(
    name: str, command: list[str | Path], directory: Path, installed: Path, providers: str
) -> Iterator[Server]:
    """The service `name`, configured by its environment alone."""
    port = free_port()
    if "gunicorn" in name:
        command = [*command[:1], "--bind", f"127.0.0.1:{port}", *command[1:]]
    options = cases.OPTIONS | {"providers": providers, "auth_strategy": "testing"}
    variables = {
        **{f"OS_DEFAULT__{key.upper()}": value for key, value in options.items()},
        **{f"OS_SERVICE_AUTH__{key.upper()}": v for key, v in cases.SERVICE_AUTH.items()},
        "OS_FLASK__HOST": "127.0.0.1",
        "OS_FLASK__PORT": str(port),
        "OS_FIRSTLIGHT__STATUS_PORT": str(free_port()),
        "OS_DEFAULT__LOG_FILE": str(directory / "service.log"),
        "OS_FIRSTLIGHT__ACCESS_LOG": str(directory / "access.log"),
        "PYTHONPATH": str(installed),
        "HOME": str(directory),
    }
    log = directory / "out"
    yield from running(
        Server(name, command, port, log, env=os.environ | variables, directory=directory)
    )


def _install(directory: Path) -> Path:
    installed = directory / "installed"
    installed.mkdir()
    cases.install(installed)
    (installed / "slow_plugins.py").write_text(_PLUGINS)
    with (installed / "pollinate_plugins-1.dist-info" / "entry_points.txt").open("a") as points:
        points.write(_ENTRY_POINTS)
    return installed


def _script(directory: Path) -> Path:
    script = directory / "ask.lua"
    headers = cases.CONFIRMED | cases.JSON
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    body = json.dumps(cases.NOVAS)
    script.write_text("\n".join(["wrk.method = 'POST'", f"wrk.body = [[{body}]]", *lines]) + "\n")
    return script


def _cells(load: Load) -> tuple[str, ...]:
    return (
        f"{load.per_second:.0f}",
        f"{load.p50 * 1e3:.1f}",
        f"{load.p99 * 1e3:.1f}",
        f"{load.cpu * 1e3:.2f}",
        str(load.errors),
    )
