"""``firstlight provider new``: a package whose tests pass before anything is changed."""

import argparse
from pathlib import Path

_EPILOG = """\
  firstlight provider new rack
  cd firstlight-rack
  pip install --editable '.[test]'
  pytest
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "name", metavar="NAME", help="lower-case letters, digits and _; the key of its answers"
    )
    parser.add_argument(
        "--directory", type=Path, metavar="DIR", help="where to (default: firstlight-NAME here)"
    )


def run(args: argparse.Namespace) -> int:
    """Make it; returns 1 if that cannot be."""
    from firstlight.services.provider import new

    return new.run(args)
