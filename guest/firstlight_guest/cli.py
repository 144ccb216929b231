"""The command `firstlight-guest`."""

import argparse
import io
import sys
from typing import List, Optional, TextIO, Tuple

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
    words, command = _apart(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    args = parser.parse_args(words)
    if command and not getattr(args, "watch", None):
        parser.error("only `get --watch` takes a command behind --")
    args.words = command
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


def _apart(words: List[str]) -> Tuple[List[str], List[str]]:
    """The words, and those behind the first ``--``.

    argparse's way to take a command would take the options behind a path for that command, too.
    """
    end = words.index("--") if "--" in words else len(words)
    return words[:end], words[end + 1 :]


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
