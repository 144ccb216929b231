"""What ``firstlight broker`` does."""

import argparse
import asyncio
import os
import pwd
import socket
import sys
from pathlib import Path

from oslo_config import cfg

from firstlight import conf as configuration
from firstlight.conf import ConfigError, logs
from firstlight.httpd.process.start import begin
from firstlight.httpd.sockets.listening import CannotListen, Unix
from firstlight.relay.broker.process import BrokerSettings, serve

_PROCESSES = "broker"  # the name of the socket to which serving processes come


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load_typed("broker", args.config)
        logs.begin(conf, "broker")
        configuration.warn_of_names(conf)
        terms = _terms(conf)
        control, opened = begin({_PROCESSES: _address(conf)}, os.environ)
        if control.takes_over:
            # Nothing can be wrong with the configuration any more. Two brokers would be in each
            # other's way: the addresses are free, or handed over, when the other has ended.
            control.ready()
        inherited = control.take()
        with opened[_PROCESSES] as listening:
            asyncio.run(serve(terms, listening, control, inherited))
    except (ConfigError, CannotListen) as error:
        print(f"firstlight broker: {error}", file=sys.stderr)
        return 1
    return 0


def _terms(conf: cfg.ConfigOpts) -> BrokerSettings:
    directory = Path(conf.relay.netns_directory)
    if not directory.parent.is_dir():
        raise ConfigError(f"[relay] netns_directory: there is no directory {directory.parent}")
    return BrokerSettings(
        directory,
        frozenset(conf.relay.namespaces),
        conf.metadata_port,
        frozenset((0, os.geteuid(), _user(conf).pw_uid)),
    )


def _user(conf: cfg.ConfigOpts) -> pwd.struct_passwd:
    name = conf.relay.proxy_user
    try:
        return pwd.getpwnam(name)
    except KeyError as error:
        raise ConfigError(
            f"[relay] proxy_user: there is no user {name}; make it (systemd-sysusers with"
            " etc/sysusers.d/firstlight.conf) or name the one that the proxy runs as"
        ) from error


def _address(conf: cfg.ConfigOpts) -> Unix:
    """Where the proxy comes; root gives it to the proxy's user, others share a group with it."""
    owner = (_user(conf).pw_uid, -1) if os.geteuid() == 0 else (-1, -1)
    return Unix(conf.relay.broker_socket, 0o660, owner, socket.SOCK_SEQPACKET)
