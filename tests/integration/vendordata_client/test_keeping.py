"""What targets say is kept as they allow, and belongs to the question that was asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec import structs

from firstlight.instance import Answer, Instance, State
from integration.vendordata_client.keeping import PATIENCE, Counting, Time, asked_after, state
from support.servers.databases import eventually


@pytest.mark.parametrize(
    ("options", "headers", "wait", "questions"),
    [
        ("", {}, 14, 1),  # [api] metadata_cache_expiration is 15
        ("", {}, 16, 2),
        ("ttl = 60", {}, 59, 1),
        ("ttl = 0", {}, 0, 2),
        ("ttl = 60", {"Cache_Control": "max-age=5"}, 6, 2),
        ("ttl = 0", {"Cache_Control": "max-age=50"}, 49, 1),
        ("ttl = 60", {"Cache_Control": "no-store"}, 0, 2),
        ("ttl = 60", {"Cache_Control": "no-cache"}, 0, 2),
        ("ttl = 60", {"Cache_Control": "private"}, 59, 1),
        ("ttl = 60", {"Vary": "*"}, 0, 2),
        ("ttl = 60", {"Expires": "0"}, 0, 2),
        ("max_ttl = 10", {"Cache_Control": "max-age=3600"}, 11, 2),
        ("max_ttl = 0", {"Cache_Control": "max-age=3600"}, 0, 2),
    ],
)
def test_how_long(
    target: Any,
    instance: Instance,
    time: Time,
    *,
    options: str,
    headers: Any,
    wait: float,
    questions: int,
) -> None:
    """As long as the answer says, else as the operator does, never longer than the bound."""
    service, data = target(options, **headers)
    assert asked_after(data, service, instance, time, wait) == questions


def test_without_novas_cache_nothing_is_kept(
    serve: Any, configured: Any, instance: Instance
) -> None:
    """metadata_cache_expiration = 0 is Nova's word for no cache, and counts here."""
    service = serve(lambda h: h.say(200, b"1"))
    data = configured(f"t@{service.url}", api="metadata_cache_expiration = 0")
    data.ask(instance)
    data.ask(instance)
    assert len(service.seen) == 2


def test_empty_is_kept_and_failed_is_not(target: Any, instance: Instance) -> None:
    """Nothing to say is an answer; a failure is asked again."""
    service, data = target()
    service.script = lambda h: h.say(500)
    assert state(data, instance) is State.FAILED
    service.script = lambda h: h.say(204)
    assert [state(data, instance) for _ in range(3)] == [State.EMPTY] * 3
    assert len(service.seen) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"boot_roles": "admin"},
        {"metadata": {"role": "db"}},
        {"hostname": "bar"},
        {"image_id": "i"},
        {"user_data": None},
        {"project_id": "p"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_question(target: Any, instance: Instance, change: Any) -> None:
    """What is sent has changed, so what was answered before is no answer, not even a stale one."""
    service, data = target()
    data.ask(instance)
    service.script = lambda h: h.say(503)
    answer = data.ask(structs.replace(instance, **change))["t"]
    assert (answer.state, len(service.seen)) == (State.FAILED, 2)


def test_another_instance(target: Any, instance: Instance) -> None:
    """Two instances never share an answer, however alike they are."""
    service, data = target()
    data.ask(instance)
    data.ask(structs.replace(instance, uuid="00000000-0000-4000-8000-000000000001"))
    assert len(service.seen) == 2


def test_a_change_outdates(target: Any, instance: Instance) -> None:
    """A rebuilt instance is asked about anew though nothing that is sent has changed; what was
    known may still stand in."""
    service, data = target()
    data.ask(instance)
    data.outdate(instance.uuid)
    data.ask(instance)
    data.outdate(None)
    data.ask(instance)
    assert len(service.seen) == 3
    data.outdate("00000000-0000-4000-8000-000000000001")
    data.ask(instance)
    assert len(service.seen) == 3
    service.script = lambda h: h.say(503)
    data.outdate(instance.uuid)
    assert state(data, instance) is State.STALE


def test_a_change_meanwhile(target: Any, instance: Instance) -> None:
    """An answer to a question from before the change is given to who waited, to nobody who asks
    afterwards, and not kept."""
    service, data = target()
    asked, go_on = threading.Event(), threading.Event()

    def slowly(handler: Any) -> None:
        if asked.is_set():
            handler.say(200, b'"new"')
            return
        asked.set()
        assert go_on.wait(PATIENCE)
        handler.say(200, b'"old"')

    service.script = slowly
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(data.ask, instance)
        assert asked.wait(PATIENCE)
        data.outdate(instance.uuid)
        assert data.ask(instance)["t"].value == "new"
        go_on.set()
        answer: Answer = waiting.result()["t"]
    assert (answer.value, answer.expires) == ("old", None)
    assert data.ask(instance)["t"].value == "new"
    assert len(service.seen) == 2


def test_many_at_once_ask_once(target: Any, instance: Instance, served: Counting) -> None:
    """Twenty who want to know about one instance make one call."""
    service, data = target("ttl = 0")
    go_on = threading.Event()

    def slowly(handler: Any) -> None:
        assert go_on.wait(PATIENCE)
        handler.say(200, b'"said"')

    service.script = slowly
    with ThreadPoolExecutor(20) as guests:
        waiting = [guests.submit(data.ask, instance) for _ in range(20)]
        assert eventually(lambda: len(served.how) == 20, PATIENCE)
        go_on.set()
        assert {one.result()["t"].value for one in waiting} == {"said"}
    assert len(service.seen) == 1
    assert sorted(served.how) == ["asked"] + ["joined"] * 19


def test_an_entity_tag(target: Any, instance: Instance, time: Time) -> None:
    """An answer that is no longer fresh is asked for with its tag; 304 makes it fresh again."""
    service, data = target(Cache_Control="max-age=10", ETag='"v1"')
    first = data.ask(instance)["t"]
    service.script = lambda h: h.say(304)
    time.now += 11
    again = data.ask(instance)["t"]
    assert service.seen[1].headers["If-None-Match"] == '"v1"'
    assert (again.value, again.state) == ("said", State.OK)
    assert again.fetched == first.fetched + 11
    time.now += 9
    data.ask(instance)
    assert len(service.seen) == 2
    time.now += 2
    service.script = lambda h: h.say(200, b'"other"', ETag='"v2"')
    assert data.ask(instance)["t"].value == "other"
    assert "If-None-Match" not in service.seen[0].headers
    assert service.seen[2].headers["If-None-Match"] == '"v1"'


def test_a_304_has_a_word_of_its_own(target: Any, instance: Instance, time: Time) -> None:
    """What it says of being kept counts from then on."""
    service, data = target(Cache_Control="no-cache", ETag='"v1"')
    data.ask(instance)
    service.script = lambda h: h.say(304, Cache_Control="max-age=100")
    data.ask(instance)
    time.now += 99
    assert data.ask(instance)["t"].value == "said"
    assert len(service.seen) == 2


def test_the_tag_is_for_the_same_question(target: Any, instance: Instance) -> None:
    """Another question is asked without it."""
    service, data = target(Cache_Control="no-cache", ETag='"v1"')
    data.ask(instance)
    data.ask(structs.replace(instance, hostname="bar"))
    assert "If-None-Match" not in service.seen[1].headers


def test_a_304_that_nobody_asked_for(target: Any, instance: Instance) -> None:
    """It is what Nova makes of it: an answer without a body."""
    service, data = target()
    service.script = lambda h: h.say(304)
    assert state(data, instance) is State.EMPTY


def test_private_stays_here(target: Any, instance: Instance) -> None:
    """What is private or not to be stored may not leave this process, and says so."""
    for control in ("private", "no-store"):
        _, data = target(Cache_Control=control)
        assert data.ask(instance)["t"].confidential
    _, data = target()
    assert not data.ask(instance)["t"].confidential


def test_memory_is_bounded(serve: Any, configured: Any, instance: Instance) -> None:
    """A mebibyte of answers for one target, however many instances there are."""
    body = b'"' + b"x" * 50_000 + b'"'
    service = serve(lambda h: h.say(200, body))
    data = configured(f"t@{service.url}", sections="[firstlight]\nvendordata_cache_size = 1")
    for number in range(20):
        data.ask(structs.replace(instance, uuid=f"00000000-0000-4000-8000-{number:012}"))
    [upstream] = data._dynamic.upstreams.values()
    assert 0 < upstream.shelf.bytes <= 1024 * 1024
    assert upstream.shelf.evicted > 0
    assert len(upstream.shelf) < 20
