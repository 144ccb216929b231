"""Whether a guest may ask now, or has asked too much."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from math import ceil

from firstlight.httpd.protocol.messages import Response
from firstlight.relay import responses
from firstlight.relay.contract import Found, Guest, Resolution
from firstlight.relay.link_local import mac_of
from firstlight.relay.proxy.token_bucket import TokenBucket, Window

Peek = Callable[[Guest], Resolution | None]


class RateLimit:
    """Refuses guests that ask too much, each by itself, IPv4 and IPv6 together.

    Guests are told apart by their ports, as soon as they have been recognised once; before, by
    their addresses. Both are nothing that a guest may choose freely: port security sees to it.

    Args:
        peek: who a guest is, if that is known already; None: it never is.
        bucket: None: as often as they like.
        windows: Neutron's; a guest over any of them is refused.
        versions: the IP versions that the windows count.
    """

    def __init__(
        self,
        peek: Peek | None,
        bucket: TokenBucket | None,
        windows: Sequence[Window] = (),
        versions: Collection[int] = (4,),
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._peek = peek
        self._bucket = bucket
        self._windows = windows
        self._versions = versions

    def refusal(self, guest: Guest) -> Response | None:
        """The 429 for a guest that has asked too much; None: it may ask, and that was counted."""
        who = self._who(guest)
        if guest.address.version in self._versions and self._over(who):
            return self._too_many("neutron", 1)
        wait = 0.0 if self._bucket is None else self._bucket.take(who)
        return self._too_many("relay", ceil(wait)) if wait else None

    def _over(self, who: Hashable) -> bool:
        # Each of them counts, also when another has refused.
        return max([window.over(who) for window in self._windows], default=False)

    def _who(self, guest: Guest) -> Hashable:
        found = self._peek(guest) if self._peek is not None else None
        if isinstance(found, Found):
            # In the store two servers may have ports of one name.
            return found.instance_id, found.port_id
        mac = mac_of(guest.address) if guest.address.version == 6 else None
        return (guest.place, mac or guest.address)

    def _too_many(self, by: str, seconds: int) -> Response:
        self.refused[by] += 1
        return responses.refusal(
            429, "This server asks too often.", (b"Retry-After", b"%d" % seconds)
        )
