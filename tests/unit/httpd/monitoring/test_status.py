"""Probes and scrapes: ready, degraded, unready."""

import json

import pytest

from firstlight.concurrency.workers import Workers
from firstlight.httpd.monitoring.status import Status
from firstlight.httpd.protocol.messages import Request


@pytest.fixture
def pool():
    """One thread for scrapes."""
    pool = Workers("scrape", threads=1, waiting=1)
    yield pool
    pool.close()


def readyz(pool, checks, concerns):
    response = Status(checks, lambda: b"", pool, lambda: concerns).handle(
        Request("GET", "/readyz", {})
    )
    return response.status, json.loads(response.body)


def test_ready(pool):
    """Nothing is wrong, and everything that was looked at is listed."""
    assert readyz(pool, {"store": lambda: None}, {"neutron": None}) == (
        200,
        {"ready": True, "degraded": [], "checks": {"neutron": "ok", "store": "ok"}},
    )


def test_degraded_is_ready(pool):
    """What the service can do without leaves it in its place, with the reason."""
    status, body = readyz(pool, {"store": lambda: None}, {"neutron": "refused", "keystone": None})
    assert status == 200
    assert (body["ready"], body["degraded"]) == (True, ["neutron"])
    assert body["checks"] == {"store": "ok", "neutron": "refused", "keystone": "ok"}


def test_unready(pool):
    """What it cannot do without is a 503 that a balancer understands."""
    status, body = readyz(pool, {"store": lambda: "gone"}, {"neutron": None})
    assert status == 503
    assert (body["ready"], body["checks"]["store"]) == (False, "gone")


def test_what_is_a_concern_and_a_check(pool):
    """Of one name the worse counts, and neither hides the other's reason."""
    status, body = readyz(pool, {"file": lambda: None}, {"file": "its last good version is served"})
    assert (status, body["degraded"]) == (200, ["file"])
    assert body["checks"] == {"file": "its last good version is served"}
