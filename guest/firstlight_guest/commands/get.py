"""Print a document, or one value in it: from the config drive, else from the network.

firstlight-guest get                                what there is
firstlight-guest get meta_data.json                 a document of openstack/latest
firstlight-guest get meta_data.json#/meta/role      a value in it (JSON Pointer)
firstlight-guest get /latest/meta-data/local-ipv4   any path of the metadata service
firstlight-guest get --provider mlnx_sriov          what a vendordata provider says
firstlight-guest get --watch meta_data.json#/meta/role -- systemctl reload app
"""

import argparse
import sys
from typing import List, Tuple

from .. import pointer
from ..asking import add_options, seconds, sources
from ..errors import DONE, CouldNotAsk, GuestError, NotThere
from ..sources import Sources
from ..watching import watch

_LATEST = "/openstack/latest"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("path", nargs="?", metavar="PATH[#POINTER]", help="default: list them")
    parser.add_argument("--provider", metavar="NAME", help="what this vendordata provider says")
    parser.add_argument(
        "--watch", metavar="KEY", help="PATH#POINTER; run the command behind -- at each new value"
    )
    parser.add_argument(
        "--interval",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="between two looks of --watch (%(default)g)",
    )
    add_options(parser, wait=30)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if args.watch:
        return _watch(args)
    places = sources(args, args.machine)
    if args.provider:
        _print(pointer.text(places.provider(args.provider).value).encode(), newline=True)
    elif args.path is None:
        _print("\n".join(_listing(places)).encode(), newline=True)
    else:
        path, within = split(args.path)
        _print(value(places, path, within), newline=bool(within))
    return DONE


def split(text: str) -> Tuple[str, str]:
    """Path over HTTP, and pointer."""
    path, _, within = text.partition("#")
    if not path.startswith("/"):
        path = f"/{path}" if path.startswith(("openstack/", "ec2/")) else f"{_LATEST}/{path}"
    return path, within


def value(places: Sources, path: str, within: str) -> bytes:
    """The bytes to print.

    Raises:
        NotThere, CouldNotAsk: see :class:`Sources`.
    """
    if not within:
        return bytes(places.get(path).value)
    return pointer.text(pointer.find(places.json(path).value, within)).encode()


def _listing(places: Sources) -> List[str]:
    names = list(places.drive.names()) if places.drive is not None else []
    if places.service is not None:
        try:
            listed = places.service.get(_LATEST).decode().split()
            names += [f"{_LATEST}/{name}" for name in listed if f"{_LATEST}/{name}" not in names]
        except (CouldNotAsk, NotThere):
            if not names:
                raise
    return names


def _watch(args: argparse.Namespace) -> int:
    path, within = split(args.watch)
    if not args.words:
        raise GuestError("--watch needs a command: --watch KEY -- COMMAND")
    args.origin = "network"  # a drive never changes
    places = sources(args, args.machine)
    assert places.service is not None
    watch(
        lambda: value(places, path, within),
        args.watch,
        args.words,
        places.service,
        interval=args.interval,
        patience=args.wait,
    )
    return DONE


def _print(data: bytes, newline: bool) -> None:
    sys.stdout.buffer.write(data + (b"\n" if newline and not data.endswith(b"\n") else b""))
    sys.stdout.buffer.flush()
