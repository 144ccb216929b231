"""What is away, in Prometheus' words."""

from collections import Counter
from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from firstlight.health.dependency import Dependency


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
        found: Counter[str] = Counter()
        for dependency in self._dependencies():  # two cells may have one name
            found[dependency.name] += dependency.trouble() is not None
        for name, number in found.items():
            away.add_metric([name], number)
        yield away
