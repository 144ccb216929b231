"""The ``firstlight`` command: one sub-command per thing a person does.

A sub-command is a module here with ``configure(parser)`` and ``run(args) -> exit code``. Modules
are imported when their command is used, and what needs an extra when it runs, so that ``--help``
is there without any. Nothing is imported here at first, because a service's command is a master
until it is told that it is to serve: see :mod:`firstlight.httpd.process`.
"""

import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

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


#: Those that serve until they are told to end.
SERVICES = frozenset({"metadata", "vendordata", "agent", "proxy", "broker", "ovnmeta"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 if the command's extra is not installed."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if argv is None and arguments and arguments[0] in SERVICES and not asks_for_help(arguments):
        from firstlight.httpd.process.channel import is_master

        if is_master(os.environ):
            from firstlight.httpd.process import master

            return master.run(os.environ)
    from firstlight.cli.parsing import run

    return run(arguments)


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether nothing is to be served: the answer comes at once."""
    return not {"-h", "--help"}.isdisjoint(arguments)


def add_config_arguments(parser: "argparse.ArgumentParser") -> None:
    """oslo's way of naming configuration files, for every sub-command."""
    from firstlight.cli.parsing import AsTyped

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


def add_service_arguments(parser: "argparse.ArgumentParser") -> None:
    """The same for a service that takes another's place, with oslo.log's, which units type."""
    from firstlight.cli.parsing import AsTyped, Switched

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
