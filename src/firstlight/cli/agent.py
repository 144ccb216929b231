"""``firstlight agent``: the metadata agent, behind anybody's proxies."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from socket import socket

from oslo_config import cfg
from oslo_log import log
from prometheus_client.registry import CollectorRegistry

from firstlight import conf as configuration
from firstlight.cli import add_config_arguments
from firstlight.cli.serving import STATUS, serving
from firstlight.conf import ConfigError
from firstlight.relay import answers
from firstlight.relay.address import BadUpstream
from firstlight.relay.deploy import Relay
from firstlight.relay.resolvers.deploy import Unusable
from firstlight.relay.socket_mode import NoSuchUser, agent_socket
from firstlight.wire.limits import Limits
from firstlight.wire.listener import Listener
from firstlight.wire.process import run as run_process
from firstlight.wire.server import Server
from firstlight.wire.sockets import CannotListen, Unix

PROXIES = "agent"  # the name of the listener that the proxies in the namespaces ask

_EPILOG = """\
It takes the place of neutron-metadata-agent: stop that, and start this with the same files. The
proxies (Neutron's haproxy, or `firstlight proxy`) go on using the socket that
metadata_proxy_socket names. Who asks is found out as the files imply: over Neutron's message bus,
in OVN's southbound database, by Neutron's API, or in the embedded store ([relay] resolver).

  firstlight agent --config-file /etc/neutron/neutron.conf \\
                   --config-file /etc/neutron/metadata_agent.ini
  curl --unix-socket /var/lib/neutron/firstlight_status http://x/readyz      what is wrong?

Without --config-file it reads these two and /etc/firstlight/agent.conf, those of them that exist.
On OVN, name neutron_ovn_metadata_agent.ini or ovn_agent.ini in the place of the second.

Signals: TERM answers what was asked and ends; HUP starts a successor that reads the configuration
anew and takes over without a lost request.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load("agent", args.config_file, args.config_dir)
        log.setup(conf, "firstlight")
        addresses = {PROXIES: agent_socket(conf), STATUS: Unix(conf.relay.status_socket)}
        return run_process(lambda opened: agent_server(conf, opened), addresses)
    except (
        BadUpstream,
        CannotListen,
        ConfigError,
        NoSuchUser,
        Unusable,
        ValueError,
    ) as error:
        print(f"firstlight agent: {error}", file=sys.stderr)
        return 1


@contextmanager
def agent_server(conf: cfg.ConfigOpts, opened: Mapping[str, socket]) -> Iterator[Server]:
    """The agent of this configuration on these sockets."""
    registry = CollectorRegistry()
    with closing(Relay(conf)) as relay:
        registry.register(relay.collector)
        with serving(
            [Listener(opened[PROXIES], relay.agent.handle, PROXIES)],
            opened[STATUS],
            checks=relay.checks,
            concerns=relay.concerns,
            registry=registry,
            access_log=conf.relay.access_log,
            limits=limits(conf),
            refusal=answers.refused,
        ) as server:
            server.accompany(relay.begin)
            yield server


def limits(conf: cfg.ConfigOpts) -> Limits:
    """What the guests of one host may cost."""
    return Limits(
        backlog=conf.metadata_backlog,
        body=conf.relay.max_request * 1024,
        # The agent answers at the deadline itself; this is for what it does not know of.
        answer_time=conf.relay.deadline + 1,
    )
