"""What a probe and a scrape ask, on a listener that guests do not reach."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from firstlight.concurrency.workers import Overloaded, Workers
from firstlight.httpd.protocol.messages import Request, Response

Check = Callable[[], str | None]  # what is wrong, in a sentence; None: nothing. Must not block.
# The same by name, of what comes and goes.
Concerns = Callable[[], Mapping[str, str | None]]

About = Callable[[str], Any]  # JSON, for an operator. Must not block.

_ABOUT = "/about/"
_METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"  # Prometheus' text format


class Status:
    """A handler for a listener of its own.

    Args:
        checks: by name; the service is ready when none of them finds anything wrong.
        metrics: the text of a scrape. It may take milliseconds, so it runs on `pool`.
        pool: for scrapes.
        about: what is known of a key, for ``/about/KEY``; None: there is no such page.
        concerns: what is wrong with things that the service can do without: it is ready, and says
            that it is degraded.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        metrics: Callable[[], bytes],
        pool: Workers,
        concerns: Concerns = dict,
        about: About | None = None,
    ) -> None:
        self._checks = checks
        self._concerns = concerns
        self._about = about
        self._metrics = metrics
        self._pool = pool

    def handle(self, request: Request) -> "Response | Future[Response]":
        """Answer one request."""
        path = request.target.partition("?")[0]
        if path == "/healthz":
            return Response(200, b"ok\n")
        if path == "/readyz":
            return self._readyz()
        if path == "/metrics":
            try:
                return self._pool.submit(self._scrape)
            except Overloaded:
                return Response(503, b"another scrape is running\n")
        if self._about is not None and path.startswith(_ABOUT):
            return _json(200, self._about(path.removeprefix(_ABOUT)))
        more = b", /about/KEY" if self._about is not None else b""
        return Response(404, b"here are /healthz, /readyz, /metrics%s\n" % more)

    def _readyz(self) -> Response:
        problems = {name: check() for name, check in self._checks.items()}
        concerns = dict(self._concerns())
        ready = not any(problems.values())
        body = {
            "ready": ready,
            "degraded": [name for name, concern in concerns.items() if concern],
            "checks": {
                name: problems.get(name) or concerns.get(name) or "ok"
                for name in concerns | problems
            },
        }
        return _json(200 if ready else 503, body)

    def _scrape(self) -> Response:
        return Response(200, self._metrics(), _METRICS_TYPE)


def _json(status: int, body: Any) -> Response:
    return Response(status, json.dumps(body, indent=2).encode() + b"\n", b"application/json")
