"""``firstlight dpm``: what the distribution firstlight-dpm adds, if it is installed."""

import argparse
import sys
from importlib.metadata import entry_points
from typing import Any

_MISSING = (
    "firstlight dpm needs the distribution firstlight-dpm, with its extra, in this environment: "
    "pip install 'firstlight-dpm[mock]'"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Its own options; without it, anything is taken, and `run` says what is missing."""
    command = _command()
    if command:
        command.configure(parser)
    else:
        parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
        parser.epilog = _MISSING


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    command = _command()
    if command:
        return int(command.run(args))
    print(_MISSING, file=sys.stderr)
    return 2


def _command() -> Any:
    """The module that firstlight-dpm registers, which this package never imports by name."""
    found = entry_points(group="firstlight.commands", name="dpm")
    try:
        return next(iter(found)).load() if found else None
    except ModuleNotFoundError:
        return None
