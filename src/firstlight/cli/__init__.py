"""The ``firstlight`` command: one sub-command per thing a person does.

A sub-command is a module here with ``configure(parser)`` and ``run(args) -> exit code``. Modules
are imported when their command is used, and what needs an extra when it runs, so that ``--help``
is there without any.
"""

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 if the command's extra is not installed."""
    arguments = list(sys.argv[1:] if argv is None else argv)
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


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """oslo's way of naming configuration files, for every sub-command."""
    parser.set_defaults(config=[])
    parser.add_argument(
        "--config-file",
        action=_Typed,
        metavar="FILE",
        help="an oslo.config file; may be given more than once, later ones win (default: what "
        "FIRSTLIGHT_CONFIG_FILES names, or the file in /etc/firstlight, or what the OpenStack "
        "service whose place this takes would read)",
    )
    parser.add_argument(
        "--config-dir",
        action=_Typed,
        metavar="DIR",
        help="a directory of *.conf files, read in order of their names (default: the folders, "
        "such as nova.conf.d, that the service whose place this takes would read)",
    )


class _Typed(argparse.Action):
    """Keeps files and directories in the order in which they were typed: later ones win."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        value: str | Sequence[object] | None,
        _option: str | None = None,
    ) -> None:
        namespace.config = [*namespace.config, f"{self.option_strings[0]}={value}"]


def _module(command: str):  # type: ignore[no-untyped-def]
    return import_module(f"firstlight.cli.{command.replace('-', '_')}")
