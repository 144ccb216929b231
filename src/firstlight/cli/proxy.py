"""``firstlight proxy``: the relay, from the network namespaces to the metadata service."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from socket import socket

from oslo_config import cfg
from oslo_log import log
from prometheus_client.registry import CollectorRegistry

from firstlight import conf as configuration
from firstlight.cli import add_config_arguments
from firstlight.cli.serving import STATUS, serving
from firstlight.conf import ConfigError
from firstlight.relay import answers
from firstlight.relay.following import Following
from firstlight.relay.proxy import Proxy, SomebodysAgent
from firstlight.relay.proxying import ProxyCollector, agent_at, fairness
from firstlight.wire.limits import Limits
from firstlight.wire.process import run as run_process
from firstlight.wire.server import Server
from firstlight.wire.sockets import CannotListen, Unix

_EPILOG = """\
One process answers in all network namespaces of this host (qdhcp-*, qrouter-*, ovnmeta-*), where
Neutron has a haproxy in each. It needs no privilege: `firstlight broker` opens the sockets and
hands them over.

By default it is the metadata agent as well: it reads Neutron's files unchanged, recognises the
guest, signs, and asks the metadata service. With [relay] agent_socket it hands requests to an agent
of Neutron's instead, as haproxy does.

  firstlight proxy --config-file /etc/neutron/neutron.conf \\
                   --config-file /etc/neutron/metadata_agent.ini
  curl --unix-socket /run/firstlight/status http://x/readyz        which namespace is in trouble?

Signals: TERM answers what was asked and ends; HUP starts a successor that reads the configuration
anew and takes over without a lost request. When it is killed, guests wait until it is there again:
the broker keeps the sockets open.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load("proxy", args.config_file, args.config_dir)
        log.setup(conf, "firstlight")
        addresses = {STATUS: Unix(conf.relay.status_socket)}
        return run_process(lambda opened: proxy_server(conf, opened), addresses)
    except (ConfigError, CannotListen, ValueError) as error:
        print(f"firstlight proxy: {error}", file=sys.stderr)
        return 1


@contextmanager
def proxy_server(conf: cfg.ConfigOpts, opened: Mapping[str, socket]) -> Iterator[Server]:
    """The proxy of this configuration."""
    own = conf.relay
    registry = CollectorRegistry()
    with ExitStack() as stack:
        agent = stack.enter_context(closing(agent_at(conf)))
        fair = fairness(conf, None)
        proxy = Proxy(fair, SomebodysAgent(agent, own.deadline).handle)
        following = Following(own.broker_socket, proxy.handle)
        registry.register(ProxyCollector(following, fair))
        server = stack.enter_context(
            serving(
                [],
                opened[STATUS],
                checks={},
                concerns=lambda: {
                    "agent": agent.trouble(),
                    "broker": following.trouble(),
                    **following.troubles(),
                },
                registry=registry,
                access_log=own.access_log,
                limits=limits(conf),
                refusal=answers.refused,
            )
        )
        server.accompany(following.begin)
        yield server


def limits(conf: cfg.ConfigOpts) -> Limits:
    """What a guest may cost; connections are those of one network, as many as haproxy's maxconn."""
    return Limits(
        connections=1024,
        body=conf.relay.max_request * 1024,
        answer_time=conf.relay.deadline + 1,
    )
