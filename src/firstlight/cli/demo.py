"""``firstlight demo``: the whole road on this machine, without any cloud."""

import argparse

from firstlight.demo import FIRST_PORT

_EPILOG = """\
  firstlight demo
  firstlight demo --directory demo --port 8080

Everything listens on 127.0.0.1 and ends with Ctrl-C. The files it writes are real ones, to be read
and changed while it runs; with --directory they stay.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "--directory", metavar="DIR", help="keep the files here (default: a temporary directory)"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=None,
        help=f"where the guest asks; the other parts take the next three (default: {FIRST_PORT}, "
        "or free ones)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve the demo until Ctrl-C."""
    from firstlight.demo import command

    return command.run(args)
