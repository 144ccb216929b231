"""The metadata service: passwords, vendor data, versions."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from firstlight.documents import TreeSettings
from firstlight.httpd.protocol.messages import Response
from firstlight.instance import Answer, State
from firstlight.metadata.handler import MetadataService
from firstlight.sources import InstanceGone
from support.servers.metadata_service import NAME, A, Bench, ask, begin, signed, told


def post(service: MetadataService, body: bytes = b"secret") -> Response | Future[Response]:
    return begin(service, "/openstack/latest/password", signed(), method="POST", body=body)


def test_of_two_passwords_at_once_one_is_kept(bench: Bench) -> None:
    """Two guests' tools race: one gets 200, the other 409, and the first one's is read."""
    services = [bench.service() for _ in range(8)]
    together = threading.Barrier(len(services))

    def race(number: int) -> int:
        together.wait(10)
        return told(post(services[number], b"%d" % number)).status

    with ThreadPoolExecutor(len(services)) as threads:
        statuses = list(threads.map(race, range(len(services))))
    assert sorted(statuses) == [200] + [409] * (len(services) - 1)
    winner = statuses.index(200)
    kept = ask(services[winner], "/openstack/latest/password", signed()).body
    assert kept == b"%d" % winner


def test_a_password_is_read_back_at_once(bench: Bench) -> None:
    """Its own post is not hidden by what was known before, nor by another service's memory."""
    service, other = bench.service(ttl=3600), bench.service(ttl=3600)
    for each in (service, other):
        assert ask(each, "/openstack/latest/password", signed()).body == b""
    assert told(post(service)).status == 200
    assert ask(service, "/openstack/latest/password", signed()).body == b"secret"
    assert told(post(other)).status == 409


def test_a_password_for_a_server_that_is_gone(bench: Bench) -> None:
    """Deleted between the look-up and the write: 400, which names it."""
    service = bench.service()
    ask(service, NAME, signed())
    bench.store.remove(A)
    with pytest.raises(InstanceGone):
        bench.store.set_password(A, "x")
    response = told(post(service))
    assert response.status == 400
    assert f"Instance {A} could not be found.".encode() in response.body


def test_a_password_while_the_store_is_away(bench: Bench) -> None:
    """503, nothing stored; afterwards it can be stored."""
    service = bench.service()
    ask(service, NAME, signed())
    bench.shelf.away = True
    assert told(post(service)).status == 503
    bench.shelf.away = False
    assert told(post(service)).status == 200


def dynamic(**options: Any) -> dict[str, Any]:
    return {"documents": TreeSettings(vendordata_providers=("StaticJSON", "DynamicJSON"))} | options


def test_targets_are_asked_for_their_document_only(bench: Bench) -> None:
    """Each request of vendor_data2.json asks, where answers may not be kept; nothing else does."""
    service = bench.service(**dynamic())
    bench.vendor.answers = {"t": Answer(value=[1], state=State.OK, fetched=0.0)}
    for target in ("/openstack/latest", "/openstack/latest/vendor_data.json"):
        assert ask(service, target, signed()).status == 200
    assert (bench.vendor.asked, bench.vendor.ahead) == (0, 0)
    for _ in range(2):
        response = ask(service, "/openstack/latest/vendor_data2.json", signed())
        assert response.body == b'{"static": {}, "t": [1]}'
    assert bench.vendor.asked == 2


@pytest.mark.parametrize("target", ["/openstack", "/openstack/", "//openstack"])
def test_a_boots_first_question_asks_ahead(bench: Bench, target: str) -> None:
    """Each time, however hot the answer is; whoever has no dynamic targets is not slowed down."""
    service = bench.service(**dynamic())
    for number in range(1, 4):
        assert ask(service, target, signed()).status == 200
        assert (bench.vendor.asked, bench.vendor.ahead) == (0, number)
    plain = bench.service()
    ask(plain, target, signed())
    assert bench.vendor.ahead == 3


def test_answers_that_are_good_for_a_while_are_hot(bench: Bench) -> None:
    """Until the first of them expires the whole response comes from memory; other spellings of the
    path, and other versions, are their own."""
    service = bench.service(ttl=3600, **dynamic())
    now = bench.date.timestamp()
    bench.vendor.answers = {
        "a": Answer(value=1, state=State.OK, fetched=now, expires=now + 60),
        "b": Answer(value=2, state=State.EMPTY, fetched=now, expires=now + 30),
    }
    path = "/openstack/latest/vendor_data2.json"
    bodies = {ask(service, path, signed()).body for _ in range(5)}
    assert (bodies, bench.vendor.asked) == ({b'{"static": {}, "a": 1, "b": 2}'}, 1)
    bench.seconds += 29
    ask(service, path, signed())
    assert bench.vendor.asked == 1
    bench.seconds += 2
    ask(service, path, signed())
    assert bench.vendor.asked == 2
    assert ask(service, path, signed(project="other")).status == 404


@pytest.mark.parametrize(
    "other",
    [
        Answer(value=1, state=State.OK, fetched=0.0),
        Answer(value={}, state=State.FAILED, fetched=0.0, reason="answered 500"),
        Answer(value=1, state=State.STALE, fetched=0.0, reason="answered 500"),
    ],
    ids=["not to be kept", "failed", "stale"],
)
def test_one_answer_that_may_change_is_enough(bench: Bench, other: Answer) -> None:
    """Then the targets decide for each request."""
    service = bench.service(ttl=3600, **dynamic())
    now = bench.date.timestamp()
    good = Answer(value=1, state=State.OK, fetched=now, expires=now + 60)
    bench.vendor.answers = {"good": good, "other": other}
    for _ in range(3):
        ask(service, "/openstack/latest/vendor_data2.json", signed())
    assert bench.vendor.asked == 3


def test_what_is_stale_says_so(bench: Bench) -> None:
    """One header for each, beside the instance's own; a target's odd name stays in its place."""
    service = bench.service(**dynamic())
    now = bench.date.timestamp()
    stale = Answer(value=1, state=State.STALE, fetched=now - 12.7, reason="answered 500")
    bench.vendor.answers = {"a b;\r\né": stale, "": stale}
    path = "/openstack/latest/vendor_data2.json"
    assert ask(service, path, signed()).headers == (
        (b"Firstlight-Stale", b"a%20b%3B%0D%0A%C3%A9; age=12"),
        (b"Firstlight-Stale", b"%00; age=12"),
    )
    bench.shelf.away = True
    bench.seconds += 100
    assert ask(service, path, signed()).headers[0] == (b"Firstlight-Stale", b"instance; age=100")


def test_a_change_reaches_the_targets(bench: Bench) -> None:
    """What changed must be asked about anew."""
    service = bench.service(**dynamic())
    service.changed(A)
    service.changed(None)
    assert bench.vendor.outdated == [A, None]


def test_fatal_vendor_data_costs_its_own_document_only(bench: Bench) -> None:
    """503 and when to come back for vendor_data2.json; the rest is told."""
    service = bench.service(**dynamic())
    bench.vendor.why_fatal = "target t failed, says the test"
    response = ask(service, "/openstack/latest/vendor_data2.json", signed())
    assert (response.status, response.headers) == (503, ((b"Retry-After", b"1"),))
    assert ask(service, "/openstack/latest/meta_data.json", signed()).status == 200


def test_a_static_file_that_cannot_be_read_fails_all_but_the_open_list(bench: Bench) -> None:
    """500 in Nova's words, not kept: once the file is there, guests are answered."""
    service = bench.service()
    bench.vendor.static_value = None
    response = ask(service, "/openstack", signed())
    assert response.status == 500
    assert b"An unknown error has occurred." in response.body
    assert ask(service, "/", {}).status == 200
    bench.vendor.static_value = {}
    assert ask(service, "/openstack", signed()).status == 200


def test_a_version_to_come_is_served_and_not_listed(bench: Bench) -> None:
    """Before its date a version is missing from the list; latest is it all the same."""
    bench.date = datetime(2020, 10, 13, 23, 59, tzinfo=UTC)
    service = bench.service()
    listed = ask(service, "/openstack", signed()).body.decode().split("\n")
    assert listed[-2:] == ["2018-08-27", "latest"]
    by_name = ask(service, "/openstack/2025-04-04/meta_data.json", signed())
    latest = ask(service, "/openstack/latest/meta_data.json", signed())
    assert (by_name.status, latest.status) == (200, 200)
    assert b"dedicated_cpus" in latest.body


def test_a_version_is_listed_on_its_day(bench: Bench) -> None:
    """The date is that of UTC, and counts from its first moment."""
    bench.date = datetime(2020, 10, 14, tzinfo=UTC)
    listed = ask(bench.service(), "/openstack", signed()).body.decode().split("\n")
    assert listed[-2:] == ["2020-10-14", "latest"]


def test_no_answer_from_before_a_change_is_passed_on_after_it(bench: Bench) -> None:
    """Whoever asks while a change is being told of cannot make an old answer last."""
    service = bench.service(documents=TreeSettings(vendordata_providers=("DynamicJSON",)), ttl=3600)
    path, later = "/openstack/latest/vendor_data2.json", bench.date.timestamp() + 3600

    def answer(value: int) -> dict[str, Answer]:
        return {"t": Answer(value=value, state=State.OK, fetched=0.0, expires=later)}

    def outdate(_uuid: str | None) -> None:
        assert ask(service, path, signed()).body == b'{"t": 1}'
        bench.vendor.answers = answer(2)

    bench.vendor.answers, bench.vendor.outdate = answer(1), outdate
    service.changed(A)
    assert ask(service, path, signed()).body == b'{"t": 2}'
