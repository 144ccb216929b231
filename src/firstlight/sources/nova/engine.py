"""Connections to Nova's databases: URLs as operators write them, engines that do not hang."""

import importlib.util
import logging
from typing import Any
from urllib.parse import parse_qsl, quote, urlparse

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from firstlight.sources import servers

LOG = logging.getLogger(__name__)

# Drivers operators' URLs name → the module that must be there, and ours if it is not.
_INSTEAD = {
    "mysql": ("MySQLdb", "mysql+pymysql"),
    "mysql+mysqldb": ("MySQLdb", "mysql+pymysql"),
    "mariadb": ("MySQLdb", "mariadb+pymysql"),
    "mariadb+mysqldb": ("MySQLdb", "mariadb+pymysql"),
    "postgresql": ("psycopg2", "postgresql+psycopg"),
    "postgresql+psycopg2": ("psycopg2", "postgresql+psycopg"),
}


class BadConnection(Exception):
    """A URL that cannot be used; no database was asked. The message says where it stands."""


def resolved(url: str, own: str | None) -> str:
    """A cell's URL, its template filled from the parts of `own`, ``[database] connection``.

    Nova's names are username, password, hostname, port, scheme, query, fragment and path, and
    username1, password1, hostname1, port1 and so on where `own` lists several hosts. A URL that
    cannot be filled is no template, as in Nova: a password may have braces.
    """
    if own is None:
        return url
    try:
        return url.format(**_parts(own))
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        # Without the text or the traceback, which show passwords.
        LOG.info(
            "the URL of a cell is used as it stands, not as a template: %s", type(error).__name__
        )
        return url


_PARTS = ("username", "password", "hostname", "port", "scheme", "query", "fragment")


def _parts(own: str) -> dict[str, Any]:
    """What templates may name of `own`.

    Raises:
        ValueError: it is no URL.
    """
    split = urlparse(own)
    values = {name: getattr(split, name) for name in _PARTS} | {"path": split.path.lstrip("/")}
    if "," in split.netloc:
        for number, each in enumerate(split.netloc.split(","), start=1):
            values |= {f"{name}{number}": part for name, part in _login_and_host(each).items()}
    return values


def _login_and_host(netloc: str) -> dict[str, Any]:
    """One of several ``username:password@hostname:port``; what is not there as Nova has it."""
    login, at, address = netloc.partition("@")
    username, colon, password = login.partition(":") if at else ("", "", "")
    host = urlparse(f"//{address if at else netloc}")
    return {
        "username": username,
        "password": password if colon else None,
        "hostname": host.hostname,
        "port": host.port,
    }


def parse(url: str, parameters: str = "") -> URL:
    """The URL with more `parameters` (``a=1&b=2``), for a driver that is installed.

    Raises:
        BadConnection: it is no URL, or not one of SQLite, PostgreSQL, MariaDB and MySQL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # The text is not shown: what cannot be parsed cannot have its password hidden.
        raise BadConnection("its URL is not one SQLAlchemy can read") from error
    if parsed.get_backend_name() not in ("sqlite", *servers.KINDS):
        raise BadConnection(f"its URL names {parsed.drivername}: use mysql, postgresql or sqlite")
    return _installed(parsed.update_query_pairs(parse_qsl(parameters)))


def _installed(url: URL) -> URL:
    module, ours = _INSTEAD.get(url.drivername, ("", ""))
    if not ours or importlib.util.find_spec(module):
        return url
    LOG.info("%s is not installed: %s is read with %s", module, url.drivername, ours)
    return url.set(drivername=ours)


def make(url: URL, *, pool_size: int, timeout: float) -> Engine:
    """An engine whose connections, statements and waits each end within about `timeout` seconds.

    Statements stand alone. Nothing is connected yet.

    Raises:
        BadConnection: the driver the URL needs is not installed.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, servers.pool_arguments(pool_size, timeout), timeout)
    try:
        return servers.make(url, pool_size=pool_size, timeout=timeout, autocommit=True)
    except servers.NoDriver as error:
        raise BadConnection(str(error)) from error


def _sqlite(url: URL, pool: dict[str, Any], timeout: float) -> Engine:
    # mode=rw: a file that is not there must be an error, not a new, empty database. Its journal
    # mode is Nova's business.
    query = {**url.query, "mode": "rw", "uri": "true"}
    engine = create_engine(
        url.set(database=f"file:{quote(url.database or '')}", query=query),
        connect_args={"timeout": timeout, "check_same_thread": False},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say BEGIN

    return engine
