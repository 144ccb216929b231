"""Nova says what has changed: its notifications, heard by one process of a host, told to all.

The road of one of them: `listener` takes it from the broker, `events` finds the instance in it,
`one_per_host` carries the instance's id to every process of the host, `feed` tells this one.
"""

from firstlight.notifications.deploy import BadTransport, open_feed
from firstlight.notifications.feed import Feed

__all__ = ["BadTransport", "Feed", "open_feed"]
