"""The HTTP server's counters as Prometheus metrics."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from firstlight.httpd.monitoring.counters import BUCKETS, Counters, Counts


class HttpCollector(Collector):
    """Register it with a registry, and a scrape shows `counters`.

    `dropped` tells how many lines the access log has dropped.
    """

    def __init__(self, counters: Counters, dropped: Callable[[], int] = lambda: 0) -> None:
        self._counters = counters
        self._dropped = dropped

    def collect(self) -> Iterator[Metric]:
        """Six families, labelled with the listener's name, and the dropped lines."""
        listeners = sorted(self._counters.listeners.items())
        yield _statuses(listeners)
        yield _durations(listeners)
        yield _refusals(listeners)
        yield _gauge(
            "in_flight", "Requests whose answer is being looked up.", listeners, "in_flight"
        )
        yield _gauge("connections", "Connections open now.", listeners, "open")
        yield _accepted(listeners)
        yield CounterMetricFamily(
            "firstlight_access_log_dropped",
            "Access log lines that could not be written.",
            value=self._dropped(),
        )


_Listeners = Iterable[tuple[str, Counts]]


def _statuses(listeners: _Listeners) -> Metric:
    family = CounterMetricFamily(
        "firstlight_http_requests", "Responses sent.", labels=["listener", "status"]
    )
    for name, counts in listeners:
        for status, number in sorted(dict(counts.statuses).items()):
            family.add_metric([name, str(status)], number)
    return family


def _durations(listeners: _Listeners) -> Metric:
    family = HistogramMetricFamily(
        "firstlight_http_request_duration_seconds",
        "From a request's first byte to its response.",
        labels=["listener"],
    )
    for name, counts in listeners:
        family.add_metric([name], _cumulated(counts.buckets), sum_value=counts.seconds)
    return family


def _cumulated(buckets: list[int]) -> list[tuple[str, float]]:
    bounds = [*map(str, BUCKETS), "+Inf"]
    totals: list[tuple[str, float]] = []
    total = 0
    for bound, number in zip(bounds, buckets, strict=True):
        total += number
        totals.append((bound, total))
    return totals


def _refusals(listeners: _Listeners) -> Metric:
    family = CounterMetricFamily(
        "firstlight_http_refusals",
        "Requests that the HTTP server refused by itself, by reason.",
        labels=["listener", "reason"],
    )
    for name, counts in listeners:
        for reason, number in sorted(dict(counts.refused).items()):
            family.add_metric([name, reason], number)
    return family


def _accepted(listeners: _Listeners) -> Metric:
    family = CounterMetricFamily(
        "firstlight_http_connections_accepted", "Connections accepted.", labels=["listener"]
    )
    for name, counts in listeners:
        family.add_metric([name], counts.accepted)
    return family


def _gauge(what: str, help_text: str, listeners: _Listeners, attribute: str) -> Metric:
    family = GaugeMetricFamily(f"firstlight_http_{what}", help_text, labels=["listener"])
    for name, counts in listeners:
        family.add_metric([name], getattr(counts, attribute))
    return family
