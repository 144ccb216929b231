"""Arguments that several commands have: configuration files, and the options of oslo.log."""

import argparse
from collections.abc import Sequence


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

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002  argparse's name
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        _value: str | Sequence[object] | None,
        _option: str | None = None,
    ) -> None:
        namespace.config = [*namespace.config, self.option_strings[0]]


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """oslo's way of naming configuration files, for every sub-command."""
    parser.set_defaults(config=[])
    parser.add_argument(
        "--config-file",
        action=AsTyped,
        metavar="FILE",
        help="an oslo.config file; may be given more than once, later ones win (default: what "
        "FIRSTLIGHT_CONFIG_FILES names, or the file in /etc/firstlight, or what the OpenStack "
        "service whose place this takes would read)",
    )
    parser.add_argument(
        "--config-dir",
        action=AsTyped,
        metavar="DIR",
        help="a directory of *.conf files, read in order of their names (default: the folders, "
        "such as nova.conf.d, that the service whose place this takes would read)",
    )


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """The same for a service that takes another's place, with oslo.log's, which units type."""
    add_config_arguments(parser)
    group = parser.add_argument_group(
        "logging", "as [DEFAULT] of a file has them; typed behind the files, they win"
    )
    group.add_argument("--debug", "-d", action=Switched, help="say more")
    group.add_argument("--nodebug", action=Switched, help="say no more than usual")
    group.add_argument(
        *("--log-file", "--logfile"), action=AsTyped, metavar="FILE", help="where the log goes"
    )
    group.add_argument(
        *("--log-dir", "--logdir"), action=AsTyped, metavar="DIR", help="the log file's folder"
    )
    group.add_argument(
        *("--log-config-append", "--log-config", "--log_config"),
        action=AsTyped,
        metavar="FILE",
        help="a logging configuration of Python's",
    )
    group.add_argument("--log-date-format", action=AsTyped, metavar="FORMAT", help="of its lines")
    group.add_argument(
        "--syslog-log-facility", action=AsTyped, metavar="NAME", help="with --use-syslog"
    )
    for name, where in (
        ("use-syslog", "to syslog"),
        ("use-journal", "to systemd's journal"),
        ("use-json", "as JSON"),
    ):
        group.add_argument(f"--{name}", action=Switched, help=f"log {where}")
        group.add_argument(f"--no{name}", action=Switched, help=f"do not log {where}")
