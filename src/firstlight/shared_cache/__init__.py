"""What one process has read of an instance, for the others: in memcached or redis, as plain data.

A second level under each process's own memory. Whatever it says is checked, and whatever goes wrong
with it costs a look-up at the source, nothing else.
"""

from firstlight.shared_cache.cache import SharedCache
from firstlight.shared_cache.deploy import BadCache, open_shared_cache

__all__ = ["BadCache", "SharedCache", "open_shared_cache"]
