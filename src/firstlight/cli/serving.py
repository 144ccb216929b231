"""What every service of ours has around its handler: access log, metrics, a status listener."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from socket import socket

from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from firstlight.wire.access import AccessLog
from firstlight.wire.counters import Counters
from firstlight.wire.limits import Limits
from firstlight.wire.listener import Listener
from firstlight.wire.messages import Observer
from firstlight.wire.metrics import WireCollector
from firstlight.wire.pool import Pool
from firstlight.wire.refusals import MakeRefusal, plain
from firstlight.wire.server import Server
from firstlight.wire.status import Check, Status

STATUS = "status"  # the name of the listener that guests never reach


@contextmanager
def serving(
    listeners: Sequence[Listener],
    status: socket,
    *,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
    access_log: str,
    limits: Limits,
    refusal: MakeRefusal = plain,
) -> Iterator[Server]:
    """A server of `listeners`, with `status` answering probes and scrapes beside them.

    Args:
        access_log: a path, ``-`` for standard error, empty for none.
    """
    counters = Counters()
    scrapes = Pool("scrape", threads=1, waiting=2)
    handler = Status(checks, lambda: generate_latest(registry), scrapes).handle
    everyone = [*listeners, Listener(status, handler, STATUS)]
    with _access_log(access_log) as (observe, dropped):
        registry.register(WireCollector(counters, dropped))
        yield Server(everyone, limits=limits, observe=observe, refusal=refusal, counters=counters)
    scrapes.close()


@contextmanager
def _access_log(
    path: str,
) -> Iterator[tuple[Callable[[str], Observer] | None, Callable[[], int]]]:
    if not path:
        yield None, lambda: 0
        return
    with AccessLog(path) as log:
        yield log.observer, lambda: log.dropped
