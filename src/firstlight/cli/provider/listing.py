"""``firstlight provider list``."""

import argparse

from firstlight.cli.arguments import add_config_arguments

_EPILOG = """\
  firstlight provider list --config-file /etc/firstlight/vendordata.conf

Enabled are those that [DEFAULT] providers of the configuration names. The options of each are in
its section [provider:NAME].
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Show them; returns 1 if one that is enabled cannot be used."""
    from firstlight.services.provider import listing

    return listing.run(args)
