"""Notifications from a real RabbitMQ: both forms, nobody else loses any, outages pass."""

import logging
import uuid

import oslo_messaging
import pytest

from firstlight import conf as configuration
from firstlight.notifications import BadTransport, open_feed
from support.servers.databases import eventually

PATIENCE = 60


def some_uuid() -> str:
    return str(uuid.uuid4())


def versioned(uuid: str) -> dict:
    return {"nova_object.name": "InstanceActionPayload", "nova_object.data": {"uuid": uuid}}


def hears(feed) -> bool:
    return eventually(lambda: feed.hears and feed.trouble() is None, PATIENCE)


def told(changed: list, *wanted: str) -> bool:
    return eventually(lambda: all(each in changed for each in wanted), PATIENCE)


def test_both_forms_are_heard(broker):
    """Unversioned and versioned, successes and failures, each tells of its instance."""
    feed, changed = broker.feed()
    assert hears(feed)
    a, b, c = some_uuid(), some_uuid(), some_uuid()
    old, new = broker.nova("notifications"), broker.nova("versioned_notifications")
    old.info({}, "compute.instance.reboot.end", {"instance_id": a})
    new.info({}, "instance.interface_attach.end", versioned(b))
    new.error({}, "instance.rebuild.error", versioned(c))
    new.info({}, "service.update", {"nova_object.data": {"uuid": some_uuid()}})
    assert told(changed, a, b, c)
    assert feed.heard == {"versioned": 2, "unversioned": 1}


def test_every_host_hears_everything_and_nobody_else_loses_any(broker):
    """Two hosts, and who listens on the same topics as telemetry does: each gets all."""
    theirs = []

    class Telemetry:
        def info(self, _context, _publisher, _event, payload, _metadata):
            theirs.append(payload["instance_id"])

    telemetry = oslo_messaging.get_notification_listener(
        broker.transport(), [oslo_messaging.Target(topic="notifications")], [Telemetry()]
    )
    telemetry.start()
    try:
        (one, ours), (two, theirs_too) = broker.feed(), broker.feed(notification_pool=some_uuid())
        assert hears(one) and hears(two)
        sent = [some_uuid() for _ in range(30)]
        nova = broker.nova("notifications")
        for each in sent:
            nova.info({}, "compute.instance.update", {"instance_id": each})
        for each in (ours, theirs_too, theirs):
            assert told(each, *sent)
    finally:
        telemetry.stop()
        telemetry.wait()


def test_of_one_host_one_listens_and_all_hear(broker, monkeypatch):
    """Three workers make one connection to the broker; when its owner ends, nothing is lost."""
    made = []
    real = oslo_messaging.get_notification_listener
    monkeypatch.setattr(
        oslo_messaging,
        "get_notification_listener",
        lambda *args, **options: made.append(1) or real(*args, **options),
    )
    feeds = [broker.feed() for _ in range(3)]
    assert all(hears(feed) for feed, _ in feeds)
    assert len(made) == 1
    nova, first = broker.nova("versioned_notifications"), some_uuid()
    nova.info({}, "instance.update", versioned(first))
    assert all(told(changed, first) for _, changed in feeds)
    feeds[0][0].close()
    while_nobody_listens = some_uuid()
    nova.info({}, "instance.update", versioned(while_nobody_listens))
    for _, changed in feeds[1:]:
        assert eventually(lambda c=changed: while_nobody_listens in c or None in c, PATIENCE)
    heard = [changed for _, changed in feeds[1:]]
    assert eventually(lambda: any(while_nobody_listens in each for each in heard), PATIENCE)
    assert len(made) == 2


def attempts(caplog) -> list[str]:
    """Lines of the driver about trying again."""
    lines = [record.message for record in caplog.records]
    return [line for line in lines if "retrying in" in line or "again in" in line]


def test_an_outage_passes(broker, caplog):
    """The broker goes and comes back: it is known while it lasts, without a line per attempt."""
    caplog.set_level(logging.INFO)
    feed, changed = broker.feed()
    another, _ = broker.feed(notification_pool=f"{broker.pool}-2")
    assert hears(feed) and hears(another)
    broker.daemon.stop()
    try:
        assert eventually(lambda: feed.trouble() is not None, PATIENCE)
        another.close()  # nobody waits for the broker to end
        assert f"127.0.0.1:{broker.daemon.port}" in feed.trouble()
        assert "guest" not in feed.trouble()
    finally:
        broker.daemon.start()
    assert hears(feed)
    sent = some_uuid()
    broker.nova("notifications").info({}, "compute.instance.update", {"instance_id": sent})
    assert told(changed, sent)
    assert attempts(caplog) == []


def test_a_broker_that_is_not_there_yet_stops_nobody(broker, caplog):
    """Nobody waits for it to begin or to end; what began without it hears when it is there."""
    broker.daemon.stop()
    try:
        for _ in range(2):
            feed, changed = broker.feed()
            assert eventually(lambda f=feed: "Connection failed" in str(f.trouble()), PATIENCE)
            assert attempts(caplog) == []
            if len(broker.feeds) == 1:
                feed.close()
    finally:
        broker.daemon.start()
    assert hears(feed)
    sent = some_uuid()
    broker.nova("notifications").info({}, "compute.instance.update", {"instance_id": sent})
    assert told(changed, sent)


def test_a_refused_login_is_named(broker):
    """A wrong password is told of, without the password."""
    broker.conf()
    path = broker._directory / "nova.conf"
    path.write_text(path.read_text().replace("guest:guest", "guest:wrong-one"))
    feed = open_feed(configuration.load("metadata", [str(path)]), lambda _uuid: None)
    feed.start()
    broker.feeds.append((feed, []))
    assert eventually(lambda: "ACCESS_REFUSED" in str(feed.trouble()), PATIENCE), feed.trouble()
    assert "wrong-one" not in str(feed.trouble())


@pytest.mark.parametrize("url", ["no-scheme-secret", "rabbit://u:secret@h:port/", "x://u:secret@h"])
def test_a_url_that_cannot_be_used_stops_the_start(tmp_path, url):
    """The option is named, the password in it is not said."""
    path = tmp_path / "nova.conf"
    path.write_text(f"[DEFAULT]\ntransport_url = {url}\n[firstlight]\nnotifications = true\n")
    with pytest.raises(BadTransport, match="transport_url") as caught:
        open_feed(configuration.load("metadata", [str(path)]), lambda _uuid: None)
    assert "secret" not in str(caught.value)


def test_off_is_off(tmp_path):
    """Without the option nothing is listened to."""
    path = tmp_path / "nova.conf"
    path.write_text("[DEFAULT]\ntransport_url = rabbit://u:p@h/\n")
    assert open_feed(configuration.load("metadata", [str(path)]), lambda _uuid: None) is None


def test_messages_on_their_way_are_bounded(broker):
    """What piled up while nobody listened does not arrive all at once."""
    conf = broker.conf()
    open_feed(conf, lambda _uuid: None)
    assert conf.oslo_messaging_rabbit.rabbit_qos_prefetch_count == 64
