"""From a nova.conf to a source."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from oslo_config import cfg

from firstlight.sources.nova import engine, schema
from firstlight.sources.nova.cell import Cell
from firstlight.sources.nova.cells import Cells, MappedCells, OneCell
from firstlight.sources.nova.database import NovaDatabase
from firstlight.sources.nova.engine import BadConnection
from firstlight.sources.nova.records import injected
from firstlight.sources.nova.source import NovaSource

_CELLS_TTL = 60.0  # seconds; cells come and go with an operator's hands
_NOVAS_TEMPLATE = "nova/virt/interfaces.template"  # in any installation


def utc() -> datetime:
    """The time in UTC, without a zone, as Nova's columns have it."""
    return datetime.now(UTC).replace(tzinfo=None)


def open_nova(
    conf: cfg.ConfigOpts,
    *,
    pool_size: int = 8,
    timeout: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = utc,
) -> NovaSource:
    """Nova's databases as `conf` names them. They are first asked when they are first used.

    Args:
        pool_size: connections to each database, that is look-ups at the same time; others wait.
        timeout: seconds after which connecting, a statement or a wait has failed.
        clock: monotonic seconds.
        now: the time in UTC, without a zone.

    Raises:
        BadConnection: a URL of the file is missing or cannot be used.
    """
    return NovaSource(open_cells(conf, pool_size=pool_size, timeout=timeout, clock=clock, now=now))


def open_cells(
    conf: cfg.ConfigOpts,
    *,
    pool_size: int = 8,
    timeout: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = utc,
) -> Cells:
    """What the source asks for an instance's cell; for who wants to look at the cells themselves.

    Arguments and errors as those of :func:`open_nova`.
    """
    return _Opener(conf, pool_size=pool_size, timeout=timeout, clock=clock, now=now).cells()


class _Opener:
    """Makes the parts of one source, all with the same limits and clocks."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        *,
        pool_size: int,
        timeout: float,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._conf = conf
        self._clock = clock
        self._cell = partial(Cell, render=renderer(conf.injected_network_template), now=now)
        self._database = partial(NovaDatabase, pool_size=pool_size, timeout=timeout, clock=clock)
        self._own: Cell | None = None

    def cells(self) -> Cells:
        own, api = self._conf.database.connection, self._conf.api_database.connection
        if own:
            with _said_of("[database] connection"):
                self._own = self._made("cell of [database] connection", own)
        if self._conf.api.local_metadata_per_cell:
            if self._own is None:
                raise BadConnection("[api] local_metadata_per_cell needs [database] connection")
            return OneCell(self._own)
        if not api:
            raise BadConnection(
                "[api_database] connection is not set, which says where each instance is; set it,"
                " or [api] local_metadata_per_cell and [database] connection"
            )
        with _said_of("[api_database] connection"):
            url = engine.parse(api, self._conf.api_database.connection_parameters)
            database = self._database("API database", url, check=schema.check_api)
        return MappedCells(database, self._own, self._connected, ttl=_CELLS_TTL, clock=self._clock)

    def _connected(self, name: str, template: str) -> Cell:
        try:
            return self._made(name, engine.resolved(template, self._conf.database.connection))
        except BadConnection as error:
            if "{" not in template:
                raise
            raise BadConnection(
                f"{error}; as a template it needs a [database] connection that has what it names"
            ) from error

    def _made(self, name: str, url: str) -> Cell:
        parsed = engine.parse(url, self._conf.database.connection_parameters)
        if self._own is not None and self._own.database.url == parsed:
            return self._own
        return self._cell(self._database(name, parsed, check=schema.check_cell))


def renderer(path: str | None) -> injected.Render | None:
    """What ``[DEFAULT] injected_network_template`` asks for: None unset, empty switched off."""
    if path == "":
        return None
    if path is None or path.endswith(_NOVAS_TEMPLATE):
        return injected.default
    return injected.template(path)


def template_trouble(path: str | None) -> str | None:
    """What is wrong with ``[DEFAULT] injected_network_template``; None: nothing is."""
    if path and renderer(path) is not injected.default:
        try:
            injected.try_template(path)
        except injected.BadTemplate as error:
            return str(error)
    return None


@contextmanager
def _said_of(option: str) -> Iterator[None]:
    try:
        yield
    except BadConnection as error:
        raise BadConnection(f"{option}: {error}") from error
