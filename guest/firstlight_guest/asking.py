"""The options by which every command that asks is told whom, and how long."""

import argparse
import sys
from typing import Optional

from . import drive as drives
from .deadline import Deadline
from .drive import Drive
from .errors import CouldNotAsk
from .machine import Machine
from .reaching import routed
from .service import Service, at
from .sources import Sources

_AUTO, _DRIVE, _NETWORK = "auto", "drive", "network"


def add_options(parser: argparse.ArgumentParser, wait: float) -> None:
    """Add them; `wait` is the default patience in seconds."""
    group = parser.add_argument_group("whom to ask")
    group.add_argument(
        "--wait",
        type=seconds,
        default=wait,
        metavar="SECONDS",
        help="how long to try again, all together (%(default)g)",
    )
    group.add_argument(
        "--from",
        dest="origin",
        choices=(_AUTO, _DRIVE, _NETWORK),
        default=_AUTO,
        help="the config drive first, then the network (%(default)s), or one of them",
    )
    group.add_argument("--drive", metavar="DIRECTORY", help="a config drive's tree, mounted")
    group.add_argument("--url", help="the metadata service, instead of http://169.254.169.254")


def seconds(text: str) -> float:
    """An argument that is a number of seconds."""
    value = float(text)
    if not 0 <= value <= 86400:
        raise argparse.ArgumentTypeError("should be 0 to 86400 seconds")
    return value


def service(args: argparse.Namespace) -> Service:
    """The metadata service."""
    deadline = Deadline(args.wait)
    return Service(deadline, at(args.url)) if args.url else Service(deadline)


def trusted_service(args: argparse.Namespace) -> Service:
    """The metadata service by a way that a secret may go: the routed one, or the operator's."""
    return Service(Deadline(args.wait), at(args.url) if args.url else routed)


def sources(args: argparse.Namespace, machine: Machine) -> Sources:
    """The places to ask, as the options say.

    Raises:
        CouldNotAsk: only a drive may be asked, and there is none that can be read.
    """
    if args.origin == _NETWORK:
        return Sources(None, service(args))
    drive = _drive(args, machine)
    return Sources(drive, None if args.origin == _DRIVE else service(args))


def _drive(args: argparse.Namespace, machine: Machine) -> Optional[Drive]:
    if args.drive:
        return drives.load(args.drive)
    try:
        found = drives.find(machine)
    except CouldNotAsk as error:
        if args.origin == _DRIVE:
            raise
        print(f"{error}; asking the network", file=sys.stderr)
        return None
    if found is None and args.origin == _DRIVE:
        raise CouldNotAsk("there is no config drive: nothing has the label config-2")
    return found
