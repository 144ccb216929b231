"""From a configuration to the proxy: fairness, and whoever answers behind it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import NamedTuple

from oslo_config import cfg
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from firstlight.httpd.monitoring.status import Check, Concerns
from firstlight.httpd.protocol.messages import Handler
from firstlight.httpd.server import Companion
from firstlight.relay.agent.deploy import AgentDeployment
from firstlight.relay.proxy.broker_client import BrokerClient
from firstlight.relay.proxy.handler import ExternalAgent
from firstlight.relay.proxy.neighbours import Neighbours
from firstlight.relay.proxy.rate_limit import Peek, RateLimit
from firstlight.relay.proxy.token_bucket import TokenBucket, Window
from firstlight.relay.upstream.address import UnixUpstream
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.client import UpstreamClient


def rate_limit(conf: cfg.ConfigOpts, peek: Peek | None) -> RateLimit:
    """As ``[relay]`` and ``[metadata_rate_limiting]`` say."""
    own, neutrons = conf.relay, conf.metadata_rate_limiting
    clock = time.monotonic
    bucket = TokenBucket(own.guest_rate, own.guest_burst, clock) if own.guest_rate else None
    windows = [
        Window(neutrons.base_window_duration, neutrons.base_query_rate_limit, clock),
        Window(neutrons.burst_window_duration, neutrons.burst_query_rate_limit, clock),
    ]
    counted = windows if neutrons.rate_limit_enabled else []
    return RateLimit(peek, bucket, counted, neutrons.ip_versions)


class NextHop(NamedTuple):
    """Whoever answers behind the proxy.

    `peek` knows who guests are; None: nobody here does. See :class:`Status` for checks and
    concerns, :meth:`Server.accompany` for begin.
    """

    handle: Handler
    begin: Companion
    checks: Mapping[str, Check]
    concerns: Concerns
    peek: Peek | None
    collector: Collector | None


@contextmanager
def next_hop(conf: cfg.ConfigOpts, neighbours: Neighbours) -> Iterator[NextHop]:
    """An agent of ours, or the one at ``[relay] agent_socket``, until the end of the block.

    Raises:
        BadUpstream, ResolverError: an option cannot be used; the message says which.
    """
    if conf.relay.agent_socket:
        yield _external_agent(conf)
        return
    with closing(AgentDeployment(conf, look=neighbours.look)) as relay:
        peek = relay.recognition.peek
        handle = relay.agent.handle
        yield NextHop(handle, relay.begin, relay.checks, relay.concerns, peek, relay.collector)


def _external_agent(conf: cfg.ConfigOpts) -> NextHop:
    own = conf.relay
    upstream = UpstreamClient(
        UnixUpstream(own.agent_socket),
        connections=own.upstream_connections,
        connect_timeout=own.connect_timeout,
        max_body=own.max_response * 1024 * 1024,
    )
    agent = ExternalAgent(Balancer([upstream]), own.deadline, time.monotonic)
    return NextHop(agent.handle, agent.begin, {"agent": upstream.trouble}, dict, None, None)


class ProxyCollector(Collector):
    """What the proxy has to tell: where it listens, where it cannot, and whom it refused."""

    def __init__(self, following: BrokerClient, fairness: RateLimit) -> None:
        self._following = following
        self._fairness = fairness

    def collect(self) -> Iterator[Metric]:
        """Three families."""
        yield GaugeMetricFamily(
            "firstlight_relay_listeners",
            "Addresses in namespaces that are listened on.",
            value=self._following.listeners(),
        )
        yield GaugeMetricFamily(
            "firstlight_relay_namespaces_in_trouble",
            "Namespaces in which an address cannot be listened on.",
            value=len(self._following.troubles()),
        )
        refused = CounterMetricFamily(
            "firstlight_relay_refused",
            "Requests of guests that asked too much, by whose limit: relay's or neutron's.",
            labels=["limit"],
        )
        for limit, number in sorted(self._fairness.refused.items()):
            refused.add_metric([limit], number)
        yield refused
