"""``firstlight broker``: the privileged part of the relay."""

import argparse

from firstlight.cli.arguments import add_service_arguments

_EPILOG = """\
Opens the sockets on which guests ask (169.254.169.254:80, [fe80::a9fe:a9fe]:80, routers' 9697) in
the network namespaces of Neutron's agents, follows those that appear and vanish, and hands the
sockets to `firstlight proxy`. It never reads what a guest sends and is told nothing by the proxy;
so this is the one process of the relay that needs privileges: CAP_SYS_ADMIN to enter a namespace,
CAP_NET_BIND_SERVICE for port 80. The proxy can end, crash and restart meanwhile: nobody who asks is
refused, because the sockets stay open here.

  firstlight broker --config-file /etc/neutron/metadata_agent.ini --config-file FILE
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from firstlight.services import broker

    return broker.run(args)
