"""What ``firstlight check`` does."""

import argparse
import json
import logging
from collections.abc import Sequence

from rich.console import Console

from firstlight import conf as configuration
from firstlight.check import road_of
from firstlight.check.output import as_json, is_broken, show, summary
from firstlight.check.step import Asked, Step, StepOutcome
from firstlight.check.steps import configuration as first_steps
from firstlight.check.walk import walk
from firstlight.conf import ConfigError
from firstlight.conf.reading.search import files_named
from firstlight.conf.reading.written import files_of


def run(args: argparse.Namespace) -> int:
    """Walk it; returns 1 if a step is broken."""
    # What the steps find is printed; the services' log lines are not for here.
    logging.getLogger().setLevel(logging.CRITICAL)
    logging.getLogger("firstlight.check").setLevel(logging.ERROR)
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
