"""``firstlight broker``: the privileged part of the relay."""

import argparse
import asyncio
import os
import pwd
import socket
import sys
from pathlib import Path

from oslo_config import cfg
from oslo_log import log

from firstlight import conf as configuration
from firstlight.cli import add_config_arguments
from firstlight.conf import ConfigError
from firstlight.relay.broker.serve import Terms, serve
from firstlight.wire import systemd
from firstlight.wire.process import allow_many_files
from firstlight.wire.sockets import CannotListen, Unix

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
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load("broker", args.config_file, args.config_dir)
        log.setup(conf, "firstlight")
        terms = _terms(conf)
        allow_many_files()
        with _address(conf).open() as listening:
            asyncio.run(serve(terms, listening, lambda: systemd.notify("READY=1", os.environ)))
    except (ConfigError, CannotListen) as error:
        print(f"firstlight broker: {error}", file=sys.stderr)
        return 1
    return 0


def _terms(conf: cfg.ConfigOpts) -> Terms:
    directory = Path(conf.relay.netns_directory)
    if not directory.parent.is_dir():
        raise ConfigError(f"[relay] netns_directory: there is no directory {directory.parent}")
    return Terms(
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
