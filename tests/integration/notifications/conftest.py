"""A real RabbitMQ, and who sends to it as Nova does."""

import uuid
from collections.abc import Iterator
from typing import Any

import oslo_messaging
import pytest
from oslo_config import cfg

from firstlight import conf as configuration
from firstlight.notifications import Feed, open_feed
from support.servers.daemons import rabbitmq  # noqa: F401  fixtures

TOPICS = ("notifications", "versioned_notifications")


class Broker:
    """RabbitMQ, and everything that a test opens on it."""

    def __init__(self, daemon: Any, directory: Any) -> None:
        self.daemon = daemon
        self._directory = directory
        self.pool = f"firstlight-{uuid.uuid4().hex[:8]}"  # a host of its own
        self.feeds: list[tuple[Feed, list]] = []
        self._transports: list[Any] = []

    @property
    def url(self) -> str:
        return f"rabbit://guest:guest@127.0.0.1:{self.daemon.port}/"

    def conf(self, **own: str) -> cfg.ConfigOpts:
        """A nova.conf whose notifications are listened to."""
        options = {"notifications": "true", "notification_pool": self.pool, **own}
        path = self._directory / "nova.conf"
        path.write_text(
            "[DEFAULT]\ntransport_url = rabbit://nobody@nowhere.invalid/\n"
            f"[oslo_messaging_notifications]\ntransport_url = {self.url}\n"
            "[oslo_messaging_rabbit]\nrabbit_interval_max = 1\nrabbit_retry_interval = 1\n"
            "[firstlight]\n" + "".join(f"{k} = {v}\n" for k, v in options.items())
        )
        return configuration.load("metadata", [str(path)])

    def feed(self, **own: str) -> tuple[Feed, list]:
        """One more process: its feed, and the instances it was told of."""
        changed: list = []
        feed = open_feed(self.conf(**own), changed.append)
        assert feed is not None
        self.feeds.append((feed, changed))
        feed.start()
        return feed, changed

    def transport(self) -> Any:
        """A connection of somebody else's, in the exchange that is Nova's."""
        conf = cfg.ConfigOpts()
        conf([])
        oslo_messaging.set_transport_defaults("nova")
        transport = oslo_messaging.get_notification_transport(conf, url=self.url)
        self._transports.append(transport)
        return transport

    def nova(self, topic: str) -> Any:
        """What sends on one of Nova's topics."""
        return oslo_messaging.Notifier(
            self.transport(), "compute.host", driver="messagingv2", topics=[topic], retry=0
        )

    def close(self) -> None:
        for feed, _ in self.feeds:
            feed.close()
        for transport in self._transports:
            transport.cleanup()


@pytest.fixture
def broker(rabbitmq: Any, tmp_path: Any) -> Iterator[Broker]:  # noqa: F811  a fixture
    """A broker, up."""
    broker = Broker(rabbitmq, tmp_path)
    yield broker
    broker.close()
