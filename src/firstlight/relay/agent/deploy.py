"""From a configuration to an agent with everything it holds."""

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from typing import Protocol

from oslo_config import cfg
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from firstlight.concurrency.bounded_threads import hang_up
from firstlight.health import Dependency, Watch
from firstlight.httpd.monitoring.status import Check
from firstlight.httpd.server import Server
from firstlight.relay.agent.handler import AgentHandler
from firstlight.relay.agent.identity_cache import IdentityCache, Look
from firstlight.relay.agent.report_state import open_report
from firstlight.relay.ovn.heartbeat import open_chassis_report
from firstlight.relay.resolvers.deploy import open_identity_cache
from firstlight.relay.resolvers.neutron_rpc import NAME as NEUTRON_RPC
from firstlight.relay.resolvers.neutron_rpc import open_transport
from firstlight.relay.resolvers.ovn import NAME as OVN
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.deploy import open_balancer

LOG = logging.getLogger(__name__)

# Seconds between two questions to a resolver that is away: as many hosts as a cloud has ask.
_PROBE_INTERVAL = 15.0


class Heartbeat(Protocol):
    """What tells Neutron that the agent is alive."""

    def start(self) -> None: ...
    def trouble(self) -> str | None: ...


class AgentDeployment:
    """The agent of a configuration: recognition, upstreams, report; until :meth:`close`.

    Args:
        look: see :data:`~firstlight.relay.agent.identity_cache.Look`.

    Raises:
        BadUpstream, ResolverError: an option cannot be used; the message says which.
    """

    def __init__(self, conf: cfg.ConfigOpts, *, look: Look | None = None) -> None:
        if not conf.metadata_proxy_shared_secret:
            LOG.warning(
                "metadata_proxy_shared_secret is empty: whoever reaches the metadata service can "
                "be any instance; set the same secret here and there"
            )
        with ExitStack() as stack:
            self._upstreams = stack.enter_context(closing(open_balancer(conf)))
            recognition = stack.enter_context(closing(open_identity_cache(conf, look=look)))
            self.recognition = recognition
            self._report = self._reporting(conf, stack)
            resolver = Dependency(recognition.name, recognition.trouble, recognition.check_resolver)
            self._watch = Watch(lambda: [resolver], interval=_PROBE_INTERVAL)
            stack.callback(self._watch.close)
            self._held = stack.pop_all()
        self.agent = AgentHandler(
            recognition,
            self._upstreams,
            secret=conf.metadata_proxy_shared_secret,
            deadline=conf.relay.deadline,
            clock=time.monotonic,
        )
        self.collector = RelayCollector(self.agent, self._upstreams, recognition)
        LOG.info(
            "guests are recognised by %s, and passed on to %s",
            recognition.name,
            ", ".join(str(one.address) for one in self._upstreams.all),
        )

    async def begin(self, server: Server) -> None:
        """See :meth:`Server.accompany`."""
        await self._upstreams.begin(server)
        self._watch.start()
        if self._report is not None:
            self._report.start()

    @property
    def checks(self) -> Mapping[str, Check]:
        """By name, what makes the agent unready."""
        return {
            "metadata service": self._upstreams.trouble,
            self.recognition.name: self.recognition.trouble,
        }

    def concerns(self) -> Mapping[str, str | None]:
        """By name, what leaves it ready and degraded."""
        reporting = {} if self._report is None else {"report": self._report.trouble()}
        return {str(one.address): one.trouble() for one in self._upstreams.all} | reporting

    def close(self) -> None:
        """Let go of threads and connections."""
        self._held.close()

    def _reporting(self, conf: cfg.ConfigOpts, stack: ExitStack) -> Heartbeat | None:
        """Who is asked is told as well, over the message bus or in OVN's southbound database;
        others know no such agent."""
        if self.recognition.name == OVN and conf.relay.ovn_report:
            return stack.enter_context(closing(open_chassis_report(conf)))
        if self.recognition.name != NEUTRON_RPC or not conf.AGENT.report_interval:
            return None
        transport = open_transport(conf)
        stack.callback(hang_up, transport.cleanup)
        return stack.enter_context(closing(open_report(conf, transport)))


class RelayCollector(Collector):
    """What became of requests, and how the metadata services and the resolver are doing."""

    def __init__(
        self, agent: AgentHandler, upstreams: Balancer, recognition: IdentityCache
    ) -> None:
        self._agent = agent
        self._upstreams = upstreams
        self._recognition = recognition

    def collect(self) -> Iterable[Metric]:
        """Each family, read now."""
        outcomes = CounterMetricFamily(
            "firstlight_relay_requests", "Requests by what became of them", labels=["outcome"]
        )
        for outcome, number in sorted(self._agent.outcomes.items()):
            outcomes.add_metric([outcome], number)
        yield outcomes
        yield from self._of_upstreams()
        counts = self._recognition.counts()._asdict()
        for name in ("found", "nobody", "waiting"):
            yield GaugeMetricFamily(
                f"firstlight_relay_identities_{name}", _IDENTITIES[name], counts[name]
            )
        for name in ("asked", "refused", "stale", "unconfirmed"):
            yield CounterMetricFamily(
                f"firstlight_relay_identities_{name}", _IDENTITIES[name], counts[name]
            )

    def _of_upstreams(self) -> Iterable[Metric]:
        label = ["upstream"]
        away = GaugeMetricFamily(
            "firstlight_relay_upstream_away", "1 while it cannot be asked", labels=label
        )
        busy = GaugeMetricFamily(
            "firstlight_relay_upstream_busy", "Connections that wait for an answer", labels=label
        )
        asked = CounterMetricFamily(
            "firstlight_relay_upstream_asked", "Requests to it", labels=label
        )
        failed = CounterMetricFamily(
            "firstlight_relay_upstream_failed", "And why they failed", labels=[*label, "why"]
        )
        for upstream in self._upstreams.all:
            name = str(upstream.address)
            away.add_metric([name], upstream.trouble() is not None)
            busy.add_metric([name], upstream.open)
            asked.add_metric([name], upstream.asked)
            for why, number in sorted(upstream.failures.items()):
                failed.add_metric([name, why], number)
        return (away, busy, asked, failed)


_IDENTITIES = {
    "found": "Guests that are known",
    "nobody": "Addresses known to be nobody's",
    "waiting": "Guests being looked up",
    "asked": "Guests looked up so far",
    "refused": "Guests for whom there was no room to wait",
    "stale": "Answers given past their time",
    "unconfirmed": "Times that the neighbour table did not show a MAC of the server that is known",
}
