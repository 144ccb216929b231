"""The embedded store: there, readable and writable, of a schema that is read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from oslo_config import cfg
from sqlalchemy import URL, Engine, StaticPool, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from firstlight.check.option_location import place
from firstlight.check.remedies import for_database
from firstlight.check.step import Finding, Step, broken, ok, warning
from firstlight.check.steps.unit import Writer
from firstlight.conf.source import REMEDY, lost_databases
from firstlight.sources.servers import driver_error, first_line
from firstlight.sources.store import BadConnection
from firstlight.sources.store.errors import Unreadable
from firstlight.sources.store.sql import engine, schema, tables
from firstlight.sources.store.sql.sqlite_file import path_of

_SERVICE = "metadata"  # the store's


def step(conf: cfg.ConfigOpts) -> Step:
    """It is looked at and left as it is: no table is made, no journal mode set."""
    return Step("store", lambda: _look(conf), seconds=2 * conf.store.timeout + 2)


def _look(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    if lost := lost_databases(conf):
        yield broken(lost, place(conf, "api_database", "connection"), remedy=REMEDY)
        return
    where = place(conf, "store", "connection")
    try:
        url = engine.parse(conf.store.connection)
        if url.get_backend_name() == "sqlite" and not path_of(url).exists():
            yield _absent(path_of(url), conf)
            return
        reader = _reader(url, conf.store.timeout)
    except BadConnection as error:
        yield broken(str(error), where, remedy="correct the URL")
        return
    try:
        yield from _content(reader, url)
    except Unreadable as error:
        yield broken(f"{_shown(url)}: {error}", where, remedy="name another database, or upgrade")
    except (SQLAlchemyError, driver_error(reader), OSError) as error:
        said = first_line(error)
        yield broken(f"{_shown(url)}: {said}", where, remedy=for_database(said))
    finally:
        reader.dispose()
    if url.get_backend_name() == "sqlite":
        yield from _rights(path_of(url), conf)


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _absent(path: Path, conf: cfg.ConfigOpts) -> Finding:
    # The directory is made as well, if its own is there.
    why = Writer.of(_SERVICE).refused(path if path.parent.exists() else path.parent)
    if why is not None:
        return broken(
            f"there is no {path}, and it cannot be made: {why}",
            place(conf, "store", "connection"),
            remedy="make the directory and give it to the service's user, or correct the path",
        )
    return warning(
        f"there is no {path} yet; it is made on first use, and no server is known",
        place(conf, "store", "connection"),
        remedy="firstlight instance add FILE",
    )


def _reader(url: URL, timeout: float) -> Engine:
    if url.get_backend_name() != "sqlite":
        return engine.make(url, pool_size=0, timeout=timeout)
    target = f"file:{quote(str(path_of(url)))}?mode=ro"
    return create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(target, uri=True, check_same_thread=False),
        poolclass=StaticPool,
    )


def _content(reader: Engine, url: URL) -> Iterator[Finding]:
    with closing(reader.connect()) as connection:
        if not schema.is_current(connection):
            yield warning(
                f"{_shown(url)} has no tables of this version yet; they are made on first use",
                remedy="nothing, if this is where the store is to be; `firstlight instance list`"
                " makes them now",
            )
            return
        number = connection.execute(select(func.count()).select_from(tables.instance)).scalar_one()
    if number:
        yield ok(f"{_shown(url)}, schema {schema.HEAD}, instances: {number}")
    else:
        yield warning(f"{_shown(url)} is empty", remedy="firstlight instance add FILE")


def _rights(path: Path, conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """SQLite writes two more files beside it, so the directory counts as well."""
    writer = Writer.of(_SERVICE)
    for thing in (path, path.with_name(f"{path.name}-wal.new")):
        why = writer.refused(thing)
        if why is not None:
            yield broken(
                why,
                place(conf, "store", "connection"),
                remedy="give it to the service's user",
            )
