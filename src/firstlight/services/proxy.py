"""What ``firstlight proxy`` does."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from socket import socket

from oslo_config import cfg
from prometheus_client.registry import CollectorRegistry

from firstlight import conf as configuration
from firstlight.conf import logs
from firstlight.httpd.limits import Limits
from firstlight.httpd.listener import Listener
from firstlight.httpd.process.control import takes_over
from firstlight.httpd.process.generation import run as run_process
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import Address, Unix
from firstlight.relay import responses
from firstlight.relay.agent.socket_mode import agent_socket
from firstlight.relay.proxy.broker_client import BrokerAway, BrokerClient
from firstlight.relay.proxy.deploy import ProxyCollector, next_hop, rate_limit
from firstlight.relay.proxy.handler import ProxyHandler
from firstlight.relay.proxy.neighbours import Neighbours
from firstlight.services.agent import PROXIES, TROUBLE
from firstlight.services.serving import STATUS, serving


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        conf = configuration.load_typed("proxy", args.config)
        configuration.share_with_libraries(conf, "proxy")
        logs.begin(conf, "proxy")
        configuration.warn_of_names(conf)
        return run_process(lambda opened: proxy_server(conf, opened), _addresses(conf))
    except (BrokerAway, *TROUBLE) as error:
        print(f"firstlight proxy: {error}", file=sys.stderr)
        return 1


def _addresses(conf: cfg.ConfigOpts) -> dict[str, Address]:
    """What it opens itself: whoever is the agent listens where proxies look for one, too."""
    addresses: dict[str, Address] = {STATUS: Unix(conf.relay.status_socket, optional=True)}
    if conf.metadata_proxy_socket and not conf.relay.agent_socket:
        # Neutron's agent, or ours, may be there still; the guests of the networks are served.
        addresses[PROXIES] = replace(agent_socket(conf), spare=True)
    return addresses


@contextmanager
def proxy_server(conf: cfg.ConfigOpts, opened: Mapping[str, socket]) -> Iterator[Server]:
    """The proxy of this configuration."""
    registry = CollectorRegistry()
    neighbours = Neighbours()
    with next_hop(conf, neighbours) as agent:
        fair = rate_limit(conf, agent.peek)
        following = BrokerClient(
            conf.relay.broker_socket,
            ProxyHandler(fair, agent.handle).handle,
            neighbours,
            takes_over=takes_over(os.environ),
        )
        registry.register(ProxyCollector(following, fair))
        if agent.collector is not None:
            registry.register(agent.collector)
        own = [PROXIES] if PROXIES in opened else []
        with serving(
            [Listener(opened[name], agent.handle, name) for name in own],
            opened.get(STATUS),
            checks=agent.checks,
            concerns=lambda: {
                **agent.concerns(),
                "broker": following.trouble(),
                **following.troubles(),
            },
            registry=registry,
            access_log=conf.relay.access_log,
            limits=limits(conf),
            refusal=responses.refused,
        ) as server:
            server.accompany(agent.begin)
            server.accompany(following.begin)
            yield server


def limits(conf: cfg.ConfigOpts) -> Limits:
    """What a guest may cost; connections are those of one network, as many as haproxy's maxconn."""
    return Limits(
        connections=1024,
        body=conf.relay.max_request * 1024,
        answer_time=conf.relay.deadline + 1,
    )
