"""What every service of ours has around its handler: access log, metrics, a status listener."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from firstlight.concurrency.workers import Workers
from firstlight.conf import ConfigError, logs
from firstlight.httpd.limits import Limits
from firstlight.httpd.listener import Listener
from firstlight.httpd.monitoring.access_log import AccessLog
from firstlight.httpd.monitoring.counters import Counters
from firstlight.httpd.monitoring.metrics import HttpCollector
from firstlight.httpd.monitoring.multiprocess_metrics import MultiprocessMetrics
from firstlight.httpd.monitoring.status import About, Check, Concerns, Status
from firstlight.httpd.protocol.messages import Observer
from firstlight.httpd.protocol.refusals import MakeRefusal, plain
from firstlight.httpd.server import Server

STATUS = "status"  # the name of the listener that guests never reach


@contextmanager
def serving(
    listeners: Sequence[Listener],
    status: socket | None,
    *,
    checks: Mapping[str, Check],
    concerns: Concerns = dict,
    about: About | None = None,
    registry: CollectorRegistry,
    access_log: str,
    limits: Limits,
    refusal: MakeRefusal = plain,
    workers: Path | None = None,
) -> Iterator[Server]:
    """A server of `listeners`, with `status` answering probes and scrapes beside them.

    Args:
        status: None where another process has its address: guests are served all the same.
        checks: by name, what makes the service unready.
        concerns: by name, what leaves it ready and degraded.
        about: what ``/about/KEY`` of the status listener tells.
        access_log: a path, ``-`` for standard error, empty for none. Its lines are JSON objects
            where the log's are.
        workers: a directory in which several workers add up their metrics; None: there is one.

    Raises:
        ConfigError: the access log cannot be written.
    """
    counters = Counters()
    with ExitStack() as stack:
        scrapes = stack.enter_context(closing(Workers("scrape", threads=1, waiting=2)))
        observe, dropped = stack.enter_context(_access_log(access_log))
        registry.register(HttpCollector(counters, dropped))
        if workers is not None:
            registry = stack.enter_context(MultiprocessMetrics(registry, workers)).everybody
        handler = Status(checks, lambda: generate_latest(registry), scrapes, concerns, about).handle
        yield Server(
            [*listeners, *([] if status is None else [Listener(status, handler, STATUS)])],
            limits=limits,
            observe=observe,
            refusal=refusal,
            counters=counters,
        )


@contextmanager
def shared_by(workers: int) -> Iterator[Path | None]:
    """A directory for what several workers share; None for one worker."""
    if workers == 1:
        yield None
        return
    with TemporaryDirectory(prefix="firstlight-") as directory:
        yield Path(directory)


@contextmanager
def _access_log(
    path: str,
) -> Iterator[tuple[Callable[[str], Observer] | None, Callable[[], int]]]:
    if not path:
        yield None, lambda: 0
        return
    log = AccessLog(path, json=logs.is_json())
    try:
        log.open()
    except OSError as error:
        raise ConfigError(
            f"access_log: {path} cannot be written ({error.strerror}); let the service's user write"
            " there, or set it to another file or to - for standard error"
        ) from error
    with log:
        yield log.observer, lambda: log.dropped
