"""The command `firstlight-guest`."""

import argparse
import io
import sys
from typing import List, Optional, TextIO

from . import __version__
from .commands import check, get, image, install, network, password, setmac, sriov, storage
from .errors import GuestError
from .machine import Machine

_COMMANDS = {
    "get": get,
    "sriov": sriov,
    "network": network,
    "setmac": setmac,
    "storage": storage,
    "password": password,
    "check": check,
    "install": install,
    "image": image,
}
_EPILOG = """\
exit codes: 0 done, or there is nothing to do; 1 it did not work; 2 wrong usage; 3 nobody could be
asked; 4 there is no such document or key; 5 it is there, and empty
"""


def main(argv: Optional[List[str]] = None) -> int:
    """Run one sub-command; returns the exit code."""
    sys.stdout = _any_letter(sys.stdout)
    args = _parser().parse_args(argv)
    args.machine = Machine(args.root)
    try:
        return int(_COMMANDS[args.command].run(args))
    except GuestError as error:
        print(f"firstlight-guest {args.command}: {error}", file=sys.stderr)
        return error.code
    except BrokenPipeError:  # whoever read has read enough
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"firstlight-guest {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _any_letter(stream: TextIO) -> TextIO:
    """A stream that takes every letter: early in a boot the locale is C, and Python 3.6 obeys."""
    if (stream.encoding or "").lower().replace("-", "") == "utf8":
        return stream
    return io.TextIOWrapper(stream.buffer, "utf-8", line_buffering=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firstlight-guest",
        description="What a guest does with what its cloud tells it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--root", default="/", help="a directory to take for / (%(default)s)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    for name, module in _COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        module.add(
            commands.add_parser(
                name,
                help=summary,
                description=module.__doc__,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser
