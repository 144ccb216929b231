"""From a configuration to the proxy: fairness, and an agent that is somebody else's."""

import time
from collections.abc import Iterator

from oslo_config import cfg
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from firstlight.relay.address import Unix
from firstlight.relay.bucket import Bucket, Window
from firstlight.relay.fairness import Fairness, Peek
from firstlight.relay.following import Following
from firstlight.relay.upstream import Upstream
from firstlight.relay.upstreams import Upstreams


def fairness(conf: cfg.ConfigOpts, peek: Peek | None) -> Fairness:
    """As ``[relay]`` and ``[metadata_rate_limiting]`` say."""
    own, neutrons = conf.relay, conf.metadata_rate_limiting
    clock = time.monotonic
    bucket = Bucket(own.guest_rate, own.guest_burst, clock) if own.guest_rate else None
    windows = [
        Window(neutrons.base_window_duration, neutrons.base_query_rate_limit, clock),
        Window(neutrons.burst_window_duration, neutrons.burst_query_rate_limit, clock),
    ]
    counted = windows if neutrons.rate_limit_enabled else []
    return Fairness(peek, bucket, counted, neutrons.ip_versions)


def agent_at(conf: cfg.ConfigOpts) -> Upstreams:
    """The agent that ``[relay] agent_socket`` names."""
    own = conf.relay
    upstream = Upstream(
        Unix(own.agent_socket),
        connections=own.upstream_connections,
        connect_timeout=own.connect_timeout,
        max_body=own.max_response * 1024 * 1024,
    )
    return Upstreams([upstream])


class ProxyCollector(Collector):
    """What the proxy has to tell: where it listens, where it cannot, and whom it refused."""

    def __init__(self, following: Following, fairness: Fairness) -> None:
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
