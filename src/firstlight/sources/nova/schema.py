"""Which of Nova's schemas this version reads, by the revision in ``alembic_version``.

Run against: the databases of Nova 34 (2026.2), and each earlier revision as Nova 34's own
migrations make it.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, String, inspect, select
from sqlalchemy.sql import column, table

from firstlight.sources.contract import SourceUnavailable

LOG = logging.getLogger(__name__)

# Oldest first; the last is Nova 34's.
API = ("d67eeaabee36", "b30f573d3377", "cdeec0c85668")
CELL = (
    "8f2f1571d55b",
    "16f1fbcab42b",
    "ccb0fa1a2252",
    "960aac0e09ea",
    "1b91788ec3a6",
    "1acf2c98e646",
    "13863f4e1612",
    "d60bddf7a903",
    "2903cd72dc14",
    "ab450ba04102",
)

_alembic_version = table("alembic_version", column("version_num", String))
_REVISION = select(_alembic_version.c.version_num)


class TooOld(SourceUnavailable):
    """The database is one this version does not read; the message says what to do."""


def revision_of(connection: Connection) -> str | None:
    """The revision that the database says it has."""
    found: str | None = connection.execute(_REVISION).scalar()
    return found


def check_api(connection: Connection, name: str) -> None:
    """Whether this API database can be read; logs what an operator should know.

    Raises:
        TooOld: it is older than every schema we know, or not Nova's.
    """
    _check(connection, name, API)


def check_cell(connection: Connection, name: str) -> None:
    """The same for a cell's database."""
    _check(connection, name, CELL)


def _check(connection: Connection, name: str, known: Sequence[str]) -> None:
    if not inspect(connection).has_table("alembic_version"):
        raise TooOld(
            f"Nova's {name} has no table alembic_version: it is older than Nova 24 (Xena), or not"
            " Nova's; run nova-manage's db sync of a later release, or correct the URL"
        )
    revision = revision_of(connection)
    if revision in (API[-1], CELL[-1]) and revision not in known:
        raise TooOld(f"Nova's {name} is another of Nova's databases: correct the URL")
    if revision not in known:
        LOG.warning(
            "%s has schema revision %s, which this version does not know: it was tested up to %s, "
            "Nova 34's",
            name,
            revision,
            known[-1],
        )
