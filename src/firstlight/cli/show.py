"""``firstlight show``: what an instance would see."""

import argparse

from firstlight.cli.arguments import add_config_arguments

_EPILOG = """\
  firstlight show web-1                                      every path, its type and size
  firstlight show web-1 /openstack/latest/meta_data.json     one document, byte for byte
  firstlight show web-1 --as cloud-init                      what cloud-init makes of it
  firstlight show web-1 --why                                where it comes from, and what failed

Dynamic vendordata targets are asked, as they would be for the guest.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "instance", metavar="INSTANCE", help="its UUID, or its name if only one has it"
    )
    parser.add_argument("path", metavar="PATH", nargs="?", help="as the guest would ask for it")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--as", dest="reader", choices=["cloud-init"], help="read it like this")
    how.add_argument(
        "--why",
        action="store_true",
        help="where each part comes from, how long it took, what failed, and what the running "
        "service shows of it",
    )
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Show it; returns 1 if there is no such instance or path."""
    from firstlight.services import show

    return show.run(args)
