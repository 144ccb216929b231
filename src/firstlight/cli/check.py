"""``firstlight check``: which part of the road is broken, and how is it mended?"""

import argparse
from pathlib import Path

from firstlight.check import ROADS
from firstlight.cli.arguments import add_service_arguments
from firstlight.cli.extras import extra_of

_EPILOG = """\
Walks the road of a request with the service's own configuration, step by step. Each step has its
own deadline, and those that need a broken one are said to be not tried. For what is wrong you read
what it is, in which file and option, and what to do. No secret is ever printed, nothing is changed.

Run it where the service runs, as the service's user, before the first start and when a guest
learns nothing; run by root, it judges for the user and the sandbox of the installed unit:

  firstlight check --config-file /etc/nova/nova.conf --before-start
  firstlight check --config-file /etc/nova/nova.conf
  firstlight check --config-file /etc/nova/nova.conf --instance UUID
                                       also: is this server found, and in which cell?
  firstlight check --config-file /etc/nova/nova.conf --agent-file /etc/neutron/metadata_agent.ini
                                       also: does the agent sign with the same secret?

The exit code is 0 if nothing is broken (warnings may be there), 1 if something is. For programs:
--json prints one object with "ok" and "steps".
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "service",
        metavar="SERVICE",
        nargs="?",
        default="metadata",
        choices=list(ROADS),
        help=f"which service's road: {', '.join(ROADS)} (default: metadata)",
    )
    add_service_arguments(parser)
    parser.add_argument(
        "--instance", metavar="UUID", help="look for this server, too, in Nova's databases"
    )
    parser.add_argument(
        "--before-start",
        action="store_true",
        help="do not ask the service itself, which is not started yet",
    )
    parser.add_argument(
        "--agent-file",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a metadata agent's file, to compare with (default: those in /etc/neutron, if any)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Walk it; returns 1 if a step is broken."""
    from firstlight.services import check

    with extra_of(args.service, f"firstlight check {args.service}"):
        return check.run(args)
