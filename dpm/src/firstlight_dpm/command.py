"""``firstlight dpm``, found by the entry point ``firstlight.commands`` when this is installed."""

import argparse

from firstlight_dpm.mock import command as mock


def configure(parser: argparse.ArgumentParser) -> None:
    """One sub-command for each thing a person does."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "serve an HMC to test against, with a machine that is not there"
    hmc_mock = commands.add_parser("hmc-mock", help=text, description=text)
    mock.configure(hmc_mock)
    hmc_mock.set_defaults(dpm=mock.run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command; returns the exit code."""
    return int(args.dpm(args))
