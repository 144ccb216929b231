"""What ``firstlight ovnmeta`` does."""

import argparse
import os
import signal
import sys
from contextlib import closing
from time import monotonic

from firstlight import conf as configuration
from firstlight.conf import ConfigError, logs
from firstlight.httpd.process.control import Control
from firstlight.httpd.process.signals import Signals
from firstlight.httpd.process.start import begin
from firstlight.relay.ovn.ovsdb import BadDatabase, southbound_remote
from firstlight.relay.ovn.provision import DEADLINE, CommandFailed, OvnHost
from firstlight.relay.ovn.reconcile import OvnReconciler


def run(args: argparse.Namespace) -> int:
    """Follow until told to stop."""
    try:
        conf = configuration.load_typed("ovnmeta", args.config)
        logs.begin(conf, "ovnmeta")
        configuration.warn_of_names(conf)
        control, _ = begin({}, os.environ)
        host = OvnHost(conf.ovs.ovsdb_connection)
        rounds = OvnReconciler(southbound_remote(conf), host, every=control.every)
    except (BadDatabase, ConfigError, CommandFailed) as error:
        print(f"firstlight ovnmeta: {error}", file=sys.stderr)
        return 1
    if control.takes_over:
        # Nothing can be wrong with the configuration any more. Two would be in each other's way.
        control.ready()
    control.take()
    with Signals((signal.SIGTERM, signal.SIGINT)) as signals, closing(rounds):
        rounds.start()
        control.ready()
        _wait(rounds, control, signals)
    return 0


def _wait(rounds: OvnReconciler, control: Control, signals: Signals) -> None:
    """Return when told to stop, or when the master has ended; beat while the rounds go on.

    They may wait for one program that they have started, but not longer than that may take.
    """
    master = [control.descriptor] if control.descriptor >= 0 else []
    while True:
        caught, ended = signals.wait(master, control.every)
        if caught or ended:
            return
        if rounds.turned > monotonic() - DEADLINE - 2 * control.every:
            control.beat()
