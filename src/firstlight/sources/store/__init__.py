"""The embedded store: instances in a database of our own (SQLite, PostgreSQL, MariaDB)."""

from firstlight.sources.store.errors import (
    BadConnection,
    BadDocument,
    Ec2IdTaken,
    InstanceExists,
    Problem,
    Refused,
    RevisionConflict,
    Taken,
)
from firstlight.sources.store.ports import StorePorts
from firstlight.sources.store.rows import Stored
from firstlight.sources.store.store import Store

__all__ = [
    "BadConnection",
    "BadDocument",
    "Ec2IdTaken",
    "InstanceExists",
    "Problem",
    "Refused",
    "RevisionConflict",
    "Store",
    "StorePorts",
    "Stored",
    "Taken",
]
