"""What ``firstlight agent`` does."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from socket import socket

from oslo_config import cfg
from prometheus_client.registry import CollectorRegistry

from firstlight import conf as configuration
from firstlight.conf import ConfigError, logs
from firstlight.httpd.limits import Limits
from firstlight.httpd.listener import Listener
from firstlight.httpd.process.generation import run as run_process
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import CannotListen, Unix
from firstlight.relay import responses
from firstlight.relay.agent.deploy import AgentDeployment
from firstlight.relay.agent.socket_mode import NoSuchUser, agent_socket
from firstlight.relay.resolvers.deploy import ResolverError
from firstlight.relay.upstream.address import BadUpstream
from firstlight.services.serving import STATUS, serving

#: What the configuration, or the host, does not let begin; each says what to change.
TROUBLE = (BadUpstream, CannotListen, ConfigError, NoSuchUser, ResolverError, ValueError)
PROXIES = "agent"  # the name of the listener that the proxies in the namespaces ask


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load_typed("agent", args.config)
        configuration.share_with_libraries(conf, "agent")
        logs.begin(conf, "agent")
        configuration.warn_of_names(conf)
        addresses = {
            PROXIES: agent_socket(conf),
            STATUS: Unix(conf.relay.status_socket, optional=True),
        }
        return run_process(lambda opened: agent_server(conf, opened), addresses)
    except TROUBLE as error:
        print(f"firstlight agent: {error}", file=sys.stderr)
        return 1


@contextmanager
def agent_server(conf: cfg.ConfigOpts, opened: Mapping[str, socket]) -> Iterator[Server]:
    """The agent of this configuration on these sockets."""
    registry = CollectorRegistry()
    with closing(AgentDeployment(conf)) as relay:
        registry.register(relay.collector)
        with serving(
            [Listener(opened[PROXIES], relay.agent.handle, PROXIES)],
            opened.get(STATUS),
            checks=relay.checks,
            concerns=relay.concerns,
            registry=registry,
            access_log=conf.relay.access_log,
            limits=limits(conf),
            refusal=responses.refused,
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
