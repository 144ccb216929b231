"""``firstlight vendordata``: the vendordata service."""

import argparse

from firstlight.cli.arguments import add_config_arguments
from firstlight.conf.compat_mode import CompatMode

_EPILOG = """\
Nova asks it if its nova.conf has, under [api],
  vendordata_providers = StaticJSON,DynamicJSON
  vendordata_dynamic_targets = site@http://HOST:9090/
and credentials under [vendordata_dynamic_auth].

A pcss-vendor-metadata.ini or a nova-pollinate.conf will do: it then answers as that service did,
on its port; with the latter, variables of ./.env count as well. OS_GROUP__OPTION in the environment
goes before what a file says.

Signals: TERM answers what was asked and ends; HUP has a new process read the configuration
and take over without a lost request.

  firstlight vendordata --config-file /etc/firstlight/vendordata.conf
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_config_arguments(parser)
    parser.add_argument("--listen", metavar="ADDRESS", help="instead of what the file says")
    parser.add_argument("--port", type=int, help="instead of what the file says")


def run(args: argparse.Namespace, stand_in_for: CompatMode | None = None) -> int:
    """Serve until told to stop; `stand_in_for` is the service whose name we were called by."""
    from firstlight.services import vendordata

    return vendordata.run(args, stand_in_for)
