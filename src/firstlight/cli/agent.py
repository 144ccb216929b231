"""``firstlight agent``: the metadata agent, behind anybody's proxies."""

import argparse

from firstlight.cli.arguments import add_service_arguments

_EPILOG = """\
It takes the place of neutron-metadata-agent: stop that, and start this with the same files. The
proxies (Neutron's haproxy, or `firstlight proxy`) go on using the socket that
metadata_proxy_socket names. Who asks is found out as the files imply: over Neutron's message bus,
in OVN's southbound database, by Neutron's API, or in the embedded store ([relay] resolver).

  firstlight agent --config-file /etc/neutron/neutron.conf \\
                   --config-file /etc/neutron/metadata_agent.ini
  curl --unix-socket /var/lib/neutron/firstlight_status http://x/readyz      what is wrong?

Without --config-file it reads these two and /etc/firstlight/agent.conf, those of them that exist.
Folders are read as Neutron's agent reads them: neutron.conf.d and neutron-metadata-agent.conf.d.
On OVN, name neutron_ovn_metadata_agent.ini or ovn_agent.ini in the place of the second.

Signals: TERM answers what was asked and ends; HUP has a new process read the configuration
and take over without a lost request.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from firstlight.services import agent

    return agent.run(args)
