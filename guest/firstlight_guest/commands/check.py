"""Walk from this guest to its metadata, and say which step is broken and how to mend it."""

import argparse
import json

from ..asking import add_options, service, sources
from ..checking import FAILED as STEP_FAILED
from ..checking import walk
from ..errors import DONE, FAILED
from ..sources import Sources


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_options(parser, wait=10)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    found = sources(args, args.machine)
    steps = walk(args.machine, Sources(found.drive, found.service or service(args)))
    if args.json:
        print(json.dumps([dict(step._asdict()) for step in steps], indent=2))
    else:
        for step in steps:
            print(f"{step.result:7} {step.name}: {step.found}")
            if step.mend:
                print(f"        to mend it: {step.mend}")
    return FAILED if any(step.result == STEP_FAILED for step in steps) else DONE
