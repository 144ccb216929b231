"""How a change is seen before what is known has expired: shared cache and notifications."""

from collections.abc import Callable, Iterable, Sequence

from oslo_config import cfg
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from firstlight.health import Dependency
from firstlight.metadata.backend import BackendError
from firstlight.notifications import BadTransport, Feed, open_feed
from firstlight.shared_cache import BadCache, SharedCache, open_shared_cache


class Invalidation(Collector):
    """The shared cache and the feed of changes, as far as the configuration asks for them.

    Nova's databases need both; the embedded store tells of its changes itself, so that reading it
    anew costs less than asking a cache.

    Args:
        nova: whether instances come from Nova's databases.

    Attributes:
        shared: what other processes have read; None: this one reads for itself.

    Raises:
        BackendError: an option of ``[cache]`` cannot be used.
    """

    def __init__(self, conf: cfg.ConfigOpts, secrets: Sequence[str], *, nova: bool) -> None:
        self._conf = conf
        self._nova = nova
        self._feed: Feed | None = None
        self.shared: SharedCache | None = None
        if not nova:
            return
        try:
            self.shared = open_shared_cache(conf, secrets)
        except BadCache as error:
            raise BackendError(str(error)) from error

    def start(self, changed: Callable[[str | None], None]) -> None:
        """Tell `changed` of every change from now on.

        Raises:
            BackendError: notifications are asked for and cannot be had.
        """
        if not self._nova:
            return
        try:
            self._feed = open_feed(self._conf, changed)
        except BadTransport as error:
            raise BackendError(str(error)) from error
        if self._feed is not None:
            self._feed.start()

    def dependencies(self) -> list[Dependency]:
        """What answers are only as fresh without as their expiry makes them."""
        places = self.shared.places if self.shared is not None else ()
        found = [
            Dependency(f"shared cache {place.name}", place.trouble, place.probe) for place in places
        ]
        if self._feed is not None:
            # It asks again by itself.
            found.append(Dependency("notifications", self._feed.trouble, lambda: None))
        return found

    def collect(self) -> Iterable[CounterMetricFamily]:
        """What came of both, for a scrape."""
        if self.shared is not None:
            outcomes = CounterMetricFamily(
                "firstlight_shared_cache",
                "What came of asking the shared cache",
                labels=["outcome"],
            )
            for outcome, count in list(self.shared.outcomes.items()):
                outcomes.add_metric([outcome], count)
            yield outcomes
        if self._feed is not None:
            heard = CounterMetricFamily(
                "firstlight_notifications", "Changes that Nova told of", labels=["form"]
            )
            for form, count in list(self._feed.heard.items()):
                heard.add_metric([form], count)
            yield heard
            yield CounterMetricFamily(
                "firstlight_notifications_missed",
                "Times that some may have been missed, and everything was read anew",
                value=self._feed.missed,
            )

    def close(self) -> None:
        """Stop listening; let go of the connections."""
        if self._feed is not None:
            self._feed.close()
        if self.shared is not None:
            self.shared.close()
