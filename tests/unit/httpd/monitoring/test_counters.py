"""Counters and what a scrape shows of them."""

from prometheus_client import CollectorRegistry, generate_latest

from firstlight.httpd.monitoring.counters import Counters
from firstlight.httpd.monitoring.metrics import HttpCollector


def test_scrape():
    """Every number arrives in Prometheus' text, by listener."""
    counters = Counters()
    counts = counters.of("metadata")
    counts.answered(200, 0.00005)
    counts.answered(200, 0.2)
    counts.answered(404, 99.0)
    counts.refused["malformed"] += 1
    counts.accepted, counts.open, counts.in_flight = 3, 2, 1
    registry = CollectorRegistry()
    registry.register(HttpCollector(counters, lambda: 7))
    text = generate_latest(registry).decode()
    for expected in (
        'firstlight_http_requests_total{listener="metadata",status="200"} 2.0',
        'firstlight_http_requests_total{listener="metadata",status="404"} 1.0',
        'firstlight_http_request_duration_seconds_bucket{le="0.0001",listener="metadata"} 1.0',
        'firstlight_http_request_duration_seconds_bucket{le="0.5",listener="metadata"} 2.0',
        'firstlight_http_request_duration_seconds_bucket{le="+Inf",listener="metadata"} 3.0',
        'firstlight_http_request_duration_seconds_count{listener="metadata"} 3.0',
        'firstlight_http_refusals_total{listener="metadata",reason="malformed"} 1.0',
        'firstlight_http_in_flight{listener="metadata"} 1.0',
        'firstlight_http_connections{listener="metadata"} 2.0',
        'firstlight_http_connections_accepted_total{listener="metadata"} 3.0',
        "firstlight_access_log_dropped_total 7.0",
    ):
        assert expected in text


def test_listeners_are_apart():
    """Each name has numbers of its own, the same each time."""
    counters = Counters()
    assert counters.of("a") is counters.of("a")
    assert counters.of("a") is not counters.of("b")
