"""What to do about what servers and libraries say, by words of theirs that do not change."""

from collections.abc import Iterable

_DATABASE = (
    (
        "access denied",
        "the user or the password of the URL is wrong, or it may not use the database",
    ),
    ("password authentication", "the user or the password of the URL is wrong"),
    ("unknown database", "the name at the end of the URL is wrong: no such database is there"),
    ("does not exist", "the name at the end of the URL is wrong: no such database or table"),
    ("unable to open database file", "no such file, or this user may not open it"),
    ("attempt to write a readonly", "this user may read the file and not write it"),
    ("no such table", "the tables are not there: was the schema ever made (nova-manage db sync)?"),
    (
        "command denied",
        "the user of the URL lacks a right on a table: it needs SELECT, and INSERT"
        " and UPDATE for EC2 numbers and passwords",
    ),
    ("permission denied", "the user of the URL lacks a right on a table, or on the file"),
    (
        "too many connections",
        "the server is full: raise its limit, or lower [firstlight] cold_threads",
    ),
    ("name or service not known", "the host name of the URL cannot be resolved here"),
    ("timed out", "nothing answers there: a firewall, or a host that is down"),
    ("refused", "nothing listens there: is the server up, and are host and port right?"),
    ("can't connect", "is the server up, and are host and port of the URL right?"),
)

_KEYSTONE = (
    ("401", "user, password, project or domains are wrong; try them with `openstack token issue`"),
    ("403", "the user may not do this in that project; give it its role there"),
    ("404", "auth_url does not lead to Keystone: it ends with /v3 or with nothing"),
    ("refused", "nothing listens at auth_url: is Keystone up, and are host and port right?"),
    ("timed out", "nothing answers at auth_url: a firewall, or a host that is down"),
    ("name or service not known", "the host name of auth_url cannot be resolved here"),
    ("name resolution", "the host name of auth_url cannot be resolved here"),
    ("tls", "check cafile, or the certificate that Keystone shows"),
)


def for_database(said: str) -> str:
    """What to do about a database's error."""
    return _first(_DATABASE, said, "is the server up, and is the URL right?")


def for_keystone(said: str) -> str:
    """What to do when there is no token."""
    return _first(_KEYSTONE, said, "check the section's credentials and auth_url")


def _first(table: Iterable[tuple[str, str]], said: str, otherwise: str) -> str:
    lowered = said.lower()
    return next((remedy for words, remedy in table if words in lowered), otherwise)
