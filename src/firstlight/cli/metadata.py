"""``firstlight metadata``: the metadata service."""

import argparse

from firstlight.cli.arguments import add_service_arguments

_EPILOG = """\
The options are Nova's ([DEFAULT] metadata_listen, [api], [neutron], ...), so a nova.conf will do,
and those of the sample file metadata.conf. /healthz, /readyz and /metrics are on
[firstlight] status_listen:status_port.

Signals: TERM answers what was asked and ends; HUP has a new process read the configuration
and take over without a lost request.

  firstlight metadata --config-file /etc/firstlight/metadata.conf
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from firstlight.services import metadata

    return metadata.run(args)
