"""``firstlight proxy``: the relay, from the network namespaces to the metadata service."""

import argparse

from firstlight.cli.arguments import add_service_arguments

_EPILOG = """\
One process answers in all network namespaces of this host (qdhcp-*, qrouter-*, ovnmeta-*), where
Neutron has a haproxy in each. It needs no privilege: `firstlight broker` opens the sockets and
hands them over.

By default it is the metadata agent as well: it reads Neutron's files unchanged, recognises the
guest, signs, and asks the metadata service; it also listens on metadata_proxy_socket, for proxies
of Neutron's that are still there. With [relay] agent_socket it hands requests to an agent of
Neutron's instead, as haproxy does.

  firstlight proxy --config-file /etc/neutron/neutron.conf \\
                   --config-file /etc/neutron/metadata_agent.ini
  curl --unix-socket /var/lib/neutron/firstlight_status http://x/readyz      what is wrong?

Signals: TERM answers what was asked and ends; HUP has a new process read the configuration
and take over without a lost request. When it is killed, guests wait until it is there again:
the broker keeps the sockets open.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from firstlight.services import proxy

    return proxy.run(args)
