"""Prometheus metrics of the providers."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from firstlight.vendordata.dispatch.outcome import Outcome

# Nova reads for 5 seconds; what lies beyond the deadline of 4.5 was given up.
_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.5)


class Metrics:
    """Counts outcomes into `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes = Counter(
            "firstlight_provider_outcomes",
            "What became of asking a provider: ok, empty or failed.",
            ("provider", "state"),
            registry=registry,
        )
        self._seconds = Histogram(
            "firstlight_provider_seconds",
            "Seconds a provider took to answer, or until it was given up.",
            ("provider",),
            buckets=_BUCKETS,
            registry=registry,
        )

    def __call__(self, outcome: Outcome) -> None:
        """Count one."""
        self._outcomes.labels(outcome.provider, outcome.state.value).inc()
        self._seconds.labels(outcome.provider).observe(outcome.seconds)
