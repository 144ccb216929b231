"""``firstlight provider run``."""

import argparse
from pathlib import Path

from firstlight.cli.arguments import add_config_arguments

_EPILOG = """\
  firstlight provider run project_info --instance 2ae914e9-f5ab-44ce-b2a2-dcf8373d899d
  firstlight provider run static_map --instance ID --project ID --metadata role=web
  firstlight provider run static_map --body request.json --live https://vendordata.example:9090

The provider need not be enabled. It is asked here, with the options and credentials of the
configuration; then the running service is asked the same, and what differs is shown. A secret is
not shown, and the service is only asked for one if you say --live, because giving it out is audited
and may count as its release.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("name", metavar="NAME", help="the provider")
    _configure_subject(parser)
    parser.add_argument(
        "--live", metavar="URL", help="the running service (default: that of the configuration)"
    )
    parser.add_argument("--no-live", action="store_true", help="compare with nothing")
    parser.add_argument("--show-secrets", action="store_true", help="show what is secret as it is")
    add_config_arguments(parser)


def _configure_subject(parser: argparse.ArgumentParser) -> None:
    asked = parser.add_argument_group("the instance")
    asked.add_argument("--instance", metavar="ID", help="its UUID")
    asked.add_argument(
        "--project", metavar="ID", help="its project; without this Nova is asked about the instance"
    )
    asked.add_argument("--image", metavar="ID", default="", help="its image")
    asked.add_argument("--hostname", metavar="NAME", default="", help="its host name")
    asked.add_argument(
        "--metadata", metavar="KEY=VALUE", action="append", default=[], help="more than once"
    )
    asked.add_argument(
        "--body", metavar="FILE", type=Path, help="or all of it, as JSON that Nova would send"
    )


def run(args: argparse.Namespace) -> int:
    """Try it; returns 1 if it failed or could not be tried."""
    from firstlight.services.provider import trial

    return trial.run(args)
