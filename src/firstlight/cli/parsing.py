"""The command line is read, and the command is run."""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from firstlight.cli.extras import Missing, extra_of

COMMANDS = {
    "demo": "the whole road on this machine, without any cloud",
    "metadata": "the metadata service",
    "vendordata": "the vendordata service",
    "agent": "the metadata agent: recognises guests, and signs for them",
    "proxy": "the relay: answers in every network namespace of this host",
    "broker": "the relay's privileged part: opens sockets in network namespaces",
    "ovnmeta": "on OVN, instead of Neutron's agent: the namespaces in which guests ask",
    "provider": "list the vendordata service's providers, make a new one, try one",
    "instance": "add, list, show, update and remove instances of the embedded store",
    "show": "what an instance would see",
    "config-drive": "an instance's documents as a disk",
    "check": "which part of the road is broken, and how to mend it",
    "dpm": "IBM Z in DPM mode: an HMC to test against (with firstlight-dpm)",
}


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say; returns the exit code, 2 if an extra is not installed."""
    parser = argparse.ArgumentParser(
        prog="firstlight",
        description="Everything that answers when a new server asks who it is.",
        epilog="firstlight COMMAND --help tells about one of them.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = next((word for word in arguments if word in COMMANDS), None)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=summary,
            description=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == named:
            _module(name).configure(sub)
    args = parser.parse_args(arguments)
    try:
        with _levels_kept(), extra_of(args.command):
            return int(_module(args.command).run(args))
    except Missing as error:
        print(error, file=sys.stderr)
        return 2


@contextmanager
def _levels_kept() -> Iterator[None]:
    """Some commands silence logs to print; who called this from Python gets them back."""
    loggers = [logging.getLogger(name) for name in ("", "firstlight", "firstlight.check")]
    levels = [logger.level for logger in loggers]
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _module(command: str):  # type: ignore[no-untyped-def]
    return import_module(f"firstlight.cli.{command.replace('-', '_')}")
