"""From a nova.conf to what hears Nova's notifications."""

import hashlib
import logging
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from oslo_config import cfg

from firstlight.notifications.feed import Feed
from firstlight.notifications.news import News
from firstlight.notifications.one_per_host import OnePerHost

LOG = logging.getLogger(__name__)

# Notifications that may be on their way from the broker; its default is all there are.
_PREFETCH = 64
_WHICH = (
    "[firstlight] notifications is on, and [oslo_messaging_notifications] transport_url, or where"
    " that is not set [DEFAULT] transport_url,"
)


class BadTransport(Exception):
    """Notifications are asked for and cannot be had; the message says what to change."""


def open_feed(conf: cfg.ConfigOpts, changed: Callable[[str | None], None]) -> Feed | None:
    """What tells `changed` of Nova's changes; None: ``[firstlight] notifications`` is off.

    The broker is Nova's own: ``[oslo_messaging_notifications] transport_url``, else ``[DEFAULT]
    transport_url``. Nothing is connected before :meth:`Feed.start`.

    Raises:
        BadTransport: oslo.messaging is not installed, or the URL cannot be used.
    """
    if not conf.firstlight.notifications:
        return None
    transport, broker = _transport(conf)
    from firstlight.notifications.listener import listening

    pool, topics = conf.firstlight.notification_pool, conf.firstlight.notification_topics
    LOG.info("Nova's notifications on %s arrive in queue %s", ", ".join(topics), pool)

    def listen(tell: Callable[[News], None]) -> AbstractContextManager[None]:
        return listening(transport, broker=broker, topics=topics, pool=pool, tell=tell)

    name = hashlib.sha256(pool.encode()).hexdigest()[:32]  # as long as a socket's name may be
    return Feed(changed, lambda tell, miss: OnePerHost(name, listen, tell, miss))


def _transport(conf: cfg.ConfigOpts) -> tuple[Any, str]:
    """oslo.messaging's transport, and the broker's addresses."""
    try:
        with warnings.catch_warnings():
            # oslo.service and futurist import it where it is installed; nothing here uses it.
            warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
            import oslo_messaging
    except ImportError as error:
        raise BadTransport(
            f"[firstlight] notifications needs oslo.messaging ({error}):"
            " pip install 'firstlight[notifications]'"
        ) from error
    oslo_messaging.set_transport_defaults("nova")  # the exchange Nova publishes in
    try:
        transport = oslo_messaging.get_notification_transport(conf)
        url = oslo_messaging.TransportURL.parse(
            conf, conf.oslo_messaging_notifications.transport_url
        )
    except oslo_messaging.DriverLoadFailure as error:
        raise BadTransport(f"{_WHICH} names a transport that is not installed: {error}") from error
    except (oslo_messaging.MessagingException, ValueError):
        # Without the cause: its message quotes the URL, password and all.
        raise BadTransport(f"{_WHICH} is not like rabbit://user:password@host:5672/") from None
    if "oslo_messaging_rabbit" in conf:
        conf.set_default("rabbit_qos_prefetch_count", _PREFETCH, "oslo_messaging_rabbit")
    return transport, ", ".join(f"{host.hostname}:{host.port or 5672}" for host in url.hosts)
