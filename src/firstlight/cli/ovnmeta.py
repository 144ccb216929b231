"""``firstlight ovnmeta``: namespaces for metadata on a chassis of OVN."""

import argparse

from firstlight.cli.arguments import add_service_arguments

_EPILOG = """\
On OVN each network with guests on a host needs a namespace there, ovnmeta-NETWORK, with a port of
the switch and the metadata addresses. One of Neutron's agents makes it: neutron-ovn-metadata-agent,
or neutron-ovn-agent with its extension "metadata". Where neither runs, this does, with the same
names; `firstlight broker` and `firstlight proxy` answer in them. Never run both: each takes away
what it believes nobody needs. Its end changes nothing, so it can be restarted at any time; SIGHUP
has another process read the configuration anew and go on.

It needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN, the switch's socket), and ip, ovs-vsctl.

  firstlight ovnmeta --config-file /etc/neutron/neutron_ovn_metadata_agent.ini
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Follow until told to stop."""
    from firstlight.services import ovnmeta

    return ovnmeta.run(args)
