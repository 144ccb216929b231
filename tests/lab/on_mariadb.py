"""Databases for Nova on a real MariaDB, and what fits into them."""

from dataclasses import replace

from sqlalchemy import create_engine, text

from lab.kinds.table import KINDS
from support.servers.databases import Server

# Nova's columns hold three bytes of UTF-8 there, and ids of 31 bits.
FITTING = {name: kind for name, kind in KINDS.items() if name != "wide-ec2-ids"}
FITTING["unicode"] = replace(
    KINDS["unicode"], instance={**KINDS["unicode"].instance, "name": "naïve 名前"}
)


def empty_databases(mariadb: Server, name: str, *, cells: int = 1) -> dict[str, str]:
    """Make what :class:`lab.nova.Nova` takes as its databases; their names begin with `name`."""
    for number in (0, *range(2, cells + 1)):
        _database(mariadb, f"{name}_cell1_cell{number}")
    return {
        "api_database": _database(mariadb, f"{name}_api"),
        "database": _database(mariadb, f"{name}_cell1"),
    }


def _database(mariadb: Server, name: str) -> str:
    """In the character set that Debian's MariaDB has, which the tests' has not."""
    url = mariadb.database(name)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} CHARACTER SET utf8mb4"))
    engine.dispose()
    return url
