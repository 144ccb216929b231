"""What is away, in Prometheus' words."""

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from firstlight.dependencies.dependency import Dependency


class DependencyCollector(Collector):
    """Register it, and a scrape shows `dependencies`. Nobody is asked for it."""

    def __init__(self, dependencies: Callable[[], Iterable[Dependency]]) -> None:
        self._dependencies = dependencies

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One gauge for each."""
        away = GaugeMetricFamily(
            "firstlight_dependency_away",
            "1 while it does not answer; with several workers, how many of them see it so",
            labels=["dependency"],
        )
        for dependency in self._dependencies():
            away.add_metric([dependency.name], int(dependency.trouble() is not None))
        yield away
