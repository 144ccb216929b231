"""``firstlight check``: which part of the road is broken, and how is it mended?"""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from firstlight import conf as configuration
from firstlight.check import ROADS, road_of
from firstlight.check.output import as_json, is_broken, show, summary
from firstlight.check.step import Asked, Step, StepOutcome
from firstlight.check.steps import configuration as first_steps
from firstlight.check.walk import walk
from firstlight.cli import add_service_arguments
from firstlight.cli.extras import extra_of
from firstlight.conf import ConfigError
from firstlight.conf.reading.search import files_named
from firstlight.conf.reading.written import files_of

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
    # What the steps find is printed; the services' log lines are not for here.
    logging.getLogger().setLevel(logging.CRITICAL)
    logging.getLogger("firstlight.check").setLevel(logging.ERROR)
    with extra_of(args.service, f"firstlight check {args.service}"):
        files, steps = _steps(args)
    console = Console(highlight=False)
    outcomes: list[StepOutcome] = []
    for outcome in walk(steps):
        outcomes.append(outcome)
        if not args.json:
            show(outcome, console)
    if args.json:
        print(json.dumps(as_json(args.service, files, outcomes), indent=2))
    else:
        print(summary(outcomes))
    return int(is_broken(outcomes))


def _steps(args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Step]]:
    try:
        conf = configuration.load_typed(args.service, args.config)
    except ConfigError as error:
        return files_named(args.config), [first_steps.unreadable(error)]
    asked = Asked(
        instance=args.instance,
        serving=not args.before_start,
        agent_files=tuple(args.agent_file),
    )
    return files_of(conf), road_of(args.service)(conf, asked)
