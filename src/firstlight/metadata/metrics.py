"""The service's own numbers, read when Prometheus asks for them."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from firstlight.concurrency.workers import Workers
from firstlight.instance import Answer
from firstlight.metadata.boot.boot_gate import BootGate, HoldOutcome
from firstlight.metadata.cache.cache import Cache
from firstlight.vendordata_client import BreakerEffect, Kind, ResponseCache, ServedFrom


class CacheCollector(Collector):
    """What is in memory and how cold work is doing."""

    def __init__(self, memories: Mapping[str, Cache[Any]], pools: Iterable[Workers]) -> None:
        self._memories = memories
        self._pools = tuple(pools)

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """One family per number, labelled with the memory or the pool."""
        for name, help_text, attribute in _GAUGES:
            gauge = GaugeMetricFamily(f"firstlight_memory_{name}", help_text, labels=["memory"])
            for label, memory in self._memories.items():
                gauge.add_metric([label], attribute(memory))
            yield gauge
        for name, help_text in _COUNTERS:
            counter = CounterMetricFamily(f"firstlight_memory_{name}", help_text, labels=["memory"])
            for label, memory in self._memories.items():
                counter.add_metric([label], getattr(memory, name))
            yield counter
        taken = GaugeMetricFamily("firstlight_pool_jobs", "Running or waiting", labels=["pool"])
        refused = CounterMetricFamily("firstlight_pool_refused", "Turned away", labels=["pool"])
        for pool in self._pools:
            taken.add_metric([pool.name], pool.taken)
            refused.add_metric([pool.name], pool.refused)
        yield taken
        yield refused


_GAUGES = (
    ("entries", "Keys in memory", len),
    ("bytes", "Bytes they take, roughly", lambda memory: memory.bytes),
    ("away", "1 while the source cannot be asked", lambda memory: int(memory.away is not None)),
)
_COUNTERS = (
    ("looked_up", "Look-ups done"),
    ("failed", "Look-ups that could not ask the source"),
    ("stale", "Times a stale value stood in"),
    ("overtaken", "Look-ups discarded because the key changed meanwhile"),
    ("evicted", "Values dropped to make room"),
)


class BootHoldCollector(Collector):
    """Who waits for required targets, and how those who waited went on."""

    def __init__(self, door: BootGate) -> None:
        self._door = door

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """Nothing but zeros where nobody is ever held."""
        door = self._door
        yield GaugeMetricFamily("firstlight_door_held", "Guests held now", value=door.held)
        left = CounterMetricFamily(
            "firstlight_door_left", "Guests that went on, by how", labels=["how"]
        )
        for how in HoldOutcome:
            left.add_metric([how.value], door.left[how])
        yield left
        verdicts = CounterMetricFamily(
            "firstlight_verdicts", "Servers set to ERROR, or not though due", labels=["outcome"]
        )
        for outcome in ("condemned", "spared", "failed"):
            verdicts.add_metric([outcome], getattr(door.vigil, outcome, 0))
        yield verdicts


class TargetCacheCollector(Collector):
    """How much is kept of what targets have answered."""

    def __init__(self, shelves: Mapping[str, ResponseCache]) -> None:
        self._shelves = shelves

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """One family per number, labelled with the target."""
        name = "firstlight_target_kept"
        entries = GaugeMetricFamily(f"{name}_entries", "Answers that are kept", labels=["target"])
        size = GaugeMetricFamily(f"{name}_bytes", "Bytes they take, roughly", labels=["target"])
        evicted = CounterMetricFamily(
            f"{name}_evicted", "Answers dropped to make room", labels=["target"]
        )
        for target, shelf in self._shelves.items():
            entries.add_metric([target], len(shelf))
            size.add_metric([target], shelf.bytes)
            evicted.add_metric([target], shelf.evicted)
        yield from (entries, size, evicted)


class TargetMetrics:
    """What comes of asking the dynamic vendordata targets.

    A :class:`firstlight.vendordata_client.TargetObserver`.

    Several workers' gauges are added up, so a breaker's state is a count of workers.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, help_text: str, *labels: str) -> Counter:
            return Counter(f"firstlight_target_{name}", help_text, labels, registry=registry)

        self._answers = counter("answers", "Calls of targets, by what came", "target", "state")
        self._failures = counter("failures", "Calls that failed, by why", "target", "kind")
        self._served = counter("served", "Answers given, by where from", "target", "how")
        self._seconds = Histogram(
            "firstlight_target_seconds",
            "Seconds a call of a target took",
            ["target"],
            registry=registry,
        )
        self._breaker = Gauge(
            "firstlight_target_breaker",
            "1 for the state the breaker is in",
            ["target", "state"],
            registry=registry,
        )

    def called(self, target: str, answer: Answer, kind: Kind | None, seconds: float) -> None:
        """Count one call."""
        self._answers.labels(target, answer.state.value).inc()
        self._seconds.labels(target).observe(seconds)
        if kind is not None:
            self._failures.labels(target, kind.value).inc()

    def served(self, target: str, how: ServedFrom) -> None:
        """Count one answer that somebody gets."""
        self._served.labels(target, how.value).inc()

    def breaker(self, target: str, state: BreakerEffect) -> None:
        """Show what the breaker does."""
        for each in BreakerEffect:
            self._breaker.labels(target, each.value).set(each is state)
