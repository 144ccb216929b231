"""Targets in trouble, each in its own way, as guests of the running service see them."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest

from conformance.processes import Service, running
from firstlight.sources.store import Store
from lab.asking import Client, signed
from lab.nova import SECRET
from support.cloud.store_samples import server, uuid
from support.relay.agent_thread import Upstreamed, plain, responding

DEADLINE = 4  # seconds for all targets together
SLOW = 10  # seconds that the slow one takes
SLACK = 5  # seconds for a busy machine; without the deadline it would be SLOW, or for ever
FAILURES = 5  # in a row that open a breaker, as it is by default
GUESTS = 6  # at once
SAID = {"role": "web"}
ALONE = ("slow", "dead", "huge", "html")  # the ones that are not asked any more in the end
_ANSWER = plain(200, json.dumps(SAID).encode())
_DOCUMENT = "/openstack/latest/vendor_data2.json"


class Told(NamedTuple):
    """A guest's answer, and how long it took."""

    said: dict[str, Any]
    seconds: float


@pytest.fixture
def targets() -> Iterator[dict[str, Any]]:
    """A good one and five that are not, at sockets that count who comes."""
    over, turns = threading.Event(), count()

    def slowly(*_: object) -> bytes:
        over.wait(SLOW)
        return _ANSWER

    with ExitStack() as stack:
        made = {
            "good": responding(_ANSWER),
            "slow": Upstreamed(slowly),
            "dead": responding(None),
            "huge": responding(plain(200, b'"' + b"x" * (50 << 20) + b'"')),
            "html": responding(plain(200, b"<html>It works!</html>")),
            "flapping": Upstreamed(lambda *_: plain(503) if next(turns) % 2 else _ANSWER),
        }
        for target in made.values():
            stack.enter_context(target)
        stack.callback(over.set)
        yield made


@pytest.fixture
def service(tmp_path: Path, targets: Mapping[str, Any]) -> Iterator[Service]:
    """The service with these targets, and instances for two rounds of guests."""
    conf, store = tmp_path / "metadata.conf", tmp_path / "store.sqlite"
    with closing(Store.open(f"sqlite:///{store}")) as opened:
        opened.prepare()
        for number in range(2 * GUESTS):
            opened.add(server(number))
    listed = ", ".join(f"{name}@http://127.0.0.1:{it.port}/" for name, it in targets.items())
    conf.write_text(
        f"[neutron]\nservice_metadata_proxy = true\nmetadata_proxy_shared_secret = {SECRET}\n"
        f"[api]\nvendordata_providers = DynamicJSON\nvendordata_dynamic_targets = {listed}\n"
        f"vendordata_dynamic_read_timeout = {SLOW + 5}\n"
        f"[firstlight]\nvendordata_deadline = {DEADLINE}\n"
        + "".join(f"[vendordata_target:{name}]\nbreaker_seconds = 600\n" for name in targets)
    )
    with running("firstlight", tmp_path, store, [conf]) as found:
        yield found


def ask(service: Service, number: int) -> Told:
    """What a guest is told of its vendor data."""
    with Client(service.port) as client:
        begun = time.monotonic()
        reply = client.ask(_DOCUMENT, signed(uuid(number), "p1", SECRET, None).items())
        seconds = time.monotonic() - begun
    assert reply.status == 200, reply
    return Told(json.loads(reply.body), seconds)


def who_came(targets: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Connections and questions that have arrived at each of ALONE."""
    return {name: (targets[name].connections, len(targets[name].requests)) for name in ALONE}


def open_breakers(service: Service) -> set[str]:
    """The targets that are left alone."""
    with urlopen(f"http://127.0.0.1:{service.status_port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    start = 'firstlight_target_breaker{state="open",target="'
    return {line.split('"')[3] for line in lines if line.startswith(start) and line[-3:] == "1.0"}


def test_trouble_costs_the_deadline_and_then_nothing(
    service: Service, targets: Mapping[str, Any]
) -> None:
    """Every guest has the good target's data within the deadline and {} for the others; once the
    breakers are open no question arrives at a target in trouble. One that answers every other time
    goes on being asked."""
    with ThreadPoolExecutor(GUESTS) as guests:
        first = list(guests.map(lambda number: ask(service, number), range(GUESTS)))
    came = who_came(targets)
    assert min(questions for _, questions in came.values()) >= FAILURES
    assert open_breakers(service) == set(ALONE)
    then = [ask(service, number) for number in range(GUESTS, 2 * GUESTS)]
    assert who_came(targets) == came
    for name in ("good", "flapping"):
        assert len(targets[name].requests) == 2 * GUESTS
    for round_ in (first, then):
        assert max(told.seconds for told in round_) < DEADLINE + SLACK
        flapping = [told.said.pop("flapping") for told in round_]
        assert (flapping.count(SAID), flapping.count({})) == (GUESTS / 2, GUESTS / 2)
        expected = {"good": SAID} | {name: {} for name in ALONE}
        assert [told.said for told in round_] == [expected] * GUESTS
