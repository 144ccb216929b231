"""Instances where Nova keeps them: its API database and its cells', read with SQLAlchemy Core.

Nothing of Nova's is imported. Which schemas are read is in :mod:`firstlight.sources.nova.schema`;
one cold instance costs one query to the API database and three to its cell's.
"""

from firstlight.sources.nova.deploy import open_nova
from firstlight.sources.nova.engine import BadConnection
from firstlight.sources.nova.records.injected import BadTemplate
from firstlight.sources.nova.schema import TooOld
from firstlight.sources.nova.source import NovaSource

__all__ = ["BadConnection", "BadTemplate", "NovaSource", "TooOld", "open_nova"]
