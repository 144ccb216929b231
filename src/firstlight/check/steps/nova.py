"""Nova's databases: reachable, of a schema that is read, with an instance that can be read."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.remedies import for_database
from firstlight.check.step import Asked, Finding, OptionLocation, Step, broken, ok, warning
from firstlight.sources import SourceUnavailable
from firstlight.sources.nova import schema
from firstlight.sources.nova.cell import Cell
from firstlight.sources.nova.cells import Mapped, MappedCells
from firstlight.sources.nova.database import NovaDatabase
from firstlight.sources.nova.deploy import open_cells, template_trouble
from firstlight.sources.nova.engine import BadConnection
from firstlight.sources.nova.schema import TooOld

API = "API database"
_SECONDS = 12.0  # connecting and a statement may take 5 each
_UPDATE = "nova-manage cell_v2 update_cell --cell_uuid UUID --database_connection URL"


def steps(conf: cfg.ConfigOpts, asked: Asked) -> Sequence[Step]:
    """The API database and, found in it, a step for each cell."""
    template = [] if conf.injected_network_template is None else [_template(conf)]
    if conf.api.local_metadata_per_cell:
        return [Step("cell", lambda: _only_cell(conf, asked), seconds=_SECONDS), *template]
    return [Step(API, lambda: _api(conf, asked), seconds=_SECONDS), *template]


def _template(conf: cfg.ConfigOpts) -> Step:
    """A template is read when a server needs it, so a bad one stops no start."""

    def look() -> Iterator[Finding]:
        trouble = template_trouble(conf.injected_network_template)
        if trouble is None:
            yield ok(conf.injected_network_template or "no file is made")
            return
        yield warning(
            f"{trouble}: servers on networks that were injected into them are answered 500",
            place(conf, "DEFAULT", "injected_network_template"),
            remedy="correct the file; it is seen without a restart",
        )

    return Step("network template", look)


def _only_cell(conf: cfg.ConfigOpts, asked: Asked) -> Iterator[Finding | Step]:
    where = place(conf, "database", "connection")
    try:
        (cell,) = open_cells(conf, pool_size=1).known()
    except BadConnection as error:
        yield broken(str(error), where, remedy="correct the option that is named")
        return
    yield from _cell(cell, where)
    if asked.instance is not None:
        yield _tried(asked.instance, lambda _uuid: cell)


def _api(conf: cfg.ConfigOpts, asked: Asked) -> Iterator[Finding | Step]:
    where = place(conf, "api_database", "connection")
    try:
        cells = open_cells(conf, pool_size=1)
    except BadConnection as error:
        yield broken(str(error), where, remedy="correct the option that is named")
        return
    assert isinstance(cells, MappedCells)
    try:
        cells.prepare()
        yield from _schema(cells.api, schema.API)
    except TooOld as error:
        yield broken(str(error), where, remedy="see docs/replace-nova-api-metadata.md for releases")
    except SourceUnavailable as error:
        yield broken(str(error), where, remedy=for_database(str(error)))
    else:
        yield from (_mapped(conf, one) for one in cells.mapped())
        if asked.instance is not None:
            yield _tried(asked.instance, cells.of)


def _schema(database: NovaDatabase, known: Sequence[str]) -> Iterator[Finding]:
    with database.reading("tell its revision") as connection:
        revision = schema.revision_of(connection)
    if revision in known:
        yield ok(f"{database.name}, schema {revision}")
    else:
        yield warning(
            f"{database.name} has schema {revision}, which this version was not tested with",
            remedy="look for a newer Firstlight, or compare a few servers with `firstlight show`",
        )


def _mapped(conf: cfg.ConfigOpts, mapped: Mapped) -> Step:
    where = OptionLocation("the API database", "cell_mappings.database_connection")
    if mapped.cell is None:
        remedy = f"correct it with {_UPDATE}"
        return Step(mapped.name, lambda: [broken(mapped.trouble, where, remedy=remedy)])
    own = conf.database.connection
    if own and mapped.url == own:
        where = place(conf, "database", "connection")
    return Step(mapped.name, partial(_cell, mapped.cell, where), seconds=_SECONDS)


def _cell(cell: Cell, where: OptionLocation) -> Iterator[Finding]:
    try:
        yield from _schema(cell.database, schema.CELL)
        newest = cell.newest()
    except TooOld as error:
        yield broken(str(error), where, remedy="see docs/replace-nova-api-metadata.md for releases")
        return
    except SourceUnavailable as error:
        yield broken(str(error), where, remedy=for_database(str(error)))
        return
    yield _read(cell, newest)


def _read(cell: Cell, uuid: str | None) -> Finding:
    if uuid is None:
        return ok("no instances in it")
    try:
        cell.unnumbered(uuid)
    except SourceUnavailable as error:
        return broken(str(error), remedy=for_database(str(error)))
    return ok(f"its newest instance can be read: {uuid}")


def _tried(uuid: str, cell_of: Callable[[str], Cell | None]) -> Step:
    """The one that the operator named."""

    def look() -> Iterator[Finding]:
        try:
            cell = cell_of(uuid)
            found = cell.unnumbered(uuid) if cell else None
        except SourceUnavailable as error:
            yield broken(str(error), remedy=for_database(str(error)))
            return
        if cell is None or found is None:
            yield broken(
                f"Nova knows no instance {uuid}: its guest is answered with 404",
                remedy="is it the UUID, was it deleted, and is it scheduled to a cell?",
            )
        else:
            yield ok(f"{uuid} is in {cell.database.name}, project {found.project_id}")

    return Step("instance", look, seconds=_SECONDS)
