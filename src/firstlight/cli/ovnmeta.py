"""``firstlight ovnmeta``: namespaces for metadata on a chassis of OVN."""

import argparse
import os
import signal
import sys
from contextlib import closing
from threading import Event

from firstlight import conf as configuration
from firstlight.cli import add_config_arguments
from firstlight.conf import ConfigError, logs
from firstlight.relay.ovnmeta.making import Failed, Host
from firstlight.relay.ovnmeta.rounds import Rounds
from firstlight.relay.ovsdb import BadDatabase, southbound_remote
from firstlight.wire import systemd

_EPILOG = """\
On OVN each network with guests on a host needs a namespace there, ovnmeta-NETWORK, with a port of
the switch and the metadata addresses. One of Neutron's agents makes it: neutron-ovn-metadata-agent,
or neutron-ovn-agent with its extension "metadata". Where neither runs, this does, with the same
names; `firstlight broker` and `firstlight proxy` answer in them. Never run both: each takes away
what it believes nobody needs. Its end changes nothing, so it can be restarted at any time.

It needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN, the switch's socket), and ip, ovs-vsctl.

  firstlight ovnmeta --config-file /etc/neutron/neutron_ovn_metadata_agent.ini
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Follow until told to stop."""
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    try:
        conf = configuration.load("ovnmeta", args.config_file, args.config_dir)
        logs.begin(conf, "ovnmeta")
        rounds = Rounds(southbound_remote(conf), Host(conf.ovs.ovsdb_connection))
    except (BadDatabase, ConfigError, Failed) as error:
        print(f"firstlight ovnmeta: {error}", file=sys.stderr)
        return 1
    rounds.start()
    with closing(rounds):
        systemd.notify("READY=1", os.environ)
        ended.wait()
    return 0
