"""The command line is read, and the command is run."""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from firstlight.cli import COMMANDS
from firstlight.cli.extras import Missing, extra_of


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


class AsTyped(argparse.Action):
    """Keeps files and directories in the order in which they were typed: later ones win."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        value: str | Sequence[object] | None,
        _option: str | None = None,
    ) -> None:
        namespace.config = [*namespace.config, f"{self.option_strings[0]}={value}"]


class Switched(AsTyped):
    """Keeps an option without a value, in the same order."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        _value: str | Sequence[object] | None,
        _option: str | None = None,
    ) -> None:
        namespace.config = [*namespace.config, self.option_strings[0]]
