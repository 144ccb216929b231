"""Our client of Neutron over real sockets: few requests, one deadline, one sentence for a fault."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firstlight import conf
from firstlight.neutron import Neutron, open_neutron
from firstlight.sources.ports import Device, NeutronUnavailable

Make = Callable[..., Neutron]

IDS = [f"00000000-0000-4000-8000-{i:012}" for i in range(120)]


def populate(script: Any) -> None:
    script.groups = [{"id": f"g{i}", "name": f"group {i % 7}"} for i in range(60)]
    script.ports = [
        {"device_id": one, "tenant_id": "p", "security_groups": [f"g{i % 60}", f"g{(i + 1) % 60}"]}
        for i, one in enumerate(IDS)
    ]


def named(i: int) -> tuple[str, ...]:
    return (f"group {i % 60 % 7}", f"group {(i + 1) % 60 % 7}")


def test_nothing_is_sent_before_somebody_asks(script: Any, neutron: Make) -> None:
    """Opening it is free of Neutron; the first question uses what it needs and no more."""
    client = neutron()
    assert script.asked == []
    client.security_groups([IDS[0]])
    assert [path for path, _ in script.asked] == ["/v2.0/ports"]  # no ports, so no groups to name


def test_those_who_ask_together_share_requests(script: Any, neutron: Make) -> None:
    """A hundred and twenty askers, each with its own answer, and a handful of requests."""
    populate(script)
    slow = script.say

    def say(*asked: Any) -> Any:
        time.sleep(0.05)
        return slow(*asked)

    script.say = say
    client = neutron()
    with ThreadPoolExecutor(len(IDS)) as threads:
        found = list(threads.map(lambda one: client.security_groups([one])[one], IDS))
    assert found == [named(i) for i in range(len(IDS))]
    assert len(script.asked) < len(IDS) / 2


def test_one_asks_about_many(script: Any, neutron: Make) -> None:
    """No request is longer than the 4 KiB that uWSGI takes by default, with room for headers."""
    populate(script)
    assert neutron().security_groups(IDS) == {one: named(i) for i, one in enumerate(IDS)}
    assert script.longest < 3000
    assert all(len(query.get("device_id", ())) <= 50 for _, query in script.asked)


def test_hidden_group_is_told_of_once(
    script: Any, neutron: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A group that is on a port and not in the list is left out, and the operator is told why."""
    populate(script)
    script.groups = [group for group in script.groups if group["id"] != "g0"]
    client = neutron()
    for _ in range(3):
        assert client.security_groups([IDS[0]]) == {IDS[0]: ("group 1",)}
    assert caplog.text.count("does not show security group g0,") == 1


def test_connections_are_used_again(script: Any, neutron: Make) -> None:
    """Ten questions, one connection."""
    client = neutron()
    for _ in range(10):
        client.device_at_address("10.0.0.1")
    assert len(script.asked) == 10
    assert len(script.connections) == 1


def test_what_is_sent(script: Any, neutron: Make) -> None:
    """Nova's filter and no field more than is needed; an address is data, not query."""
    script.ports = [{"device_id": "d", "tenant_id": "p"}, {"device_id": "", "tenant_id": "p"}]
    assert neutron().device_at_address("10.0.0.1&x=1") == [Device("d", "p")]
    fields = {"fixed_ips": ["ip_address=10.0.0.1&x=1"], "fields": ["device_id", "tenant_id"]}
    assert script.asked == [("/v2.0/ports", fields)]


def test_endpoint_with_a_version(script: Any, neutron: Make) -> None:
    """An endpoint that ends in /v2.0 is the same place."""
    neutron(endpoint_override=f"{script.url}/v2.0/").device_at_address("10.0.0.1")
    assert [path for path, _ in script.asked] == ["/v2.0/ports"]


def test_asked_again_as_often_as_http_retries_says(script: Any, neutron: Make) -> None:
    """A connection that breaks is tried again; with http_retries=0 it is not."""
    first = iter((None, None))
    script.say = lambda script, *asked: next(first, script.lists(*asked))
    assert neutron(http_retries="2").device_at_address("10.0.0.1") == []
    assert len(script.asked) == 3
    script.say = lambda *_: None
    with pytest.raises(NeutronUnavailable, match=r"GET ports: .*without response"):
        neutron(http_retries="0").device_at_address("10.0.0.1")
    assert len(script.asked) == 4


def test_port_that_vanishes_while_listed(script: Any, neutron: Make) -> None:
    """Neutron then answers 404; the list without that port comes with the next request."""
    populate(script)
    gone = {"NeutronError": {"type": "PortNotFound", "message": "Port 7 could not be found."}}
    first = iter(((404, gone),))
    script.say = lambda script, *asked: next(first, script.lists(*asked))
    assert neutron().security_groups([IDS[0]]) == {IDS[0]: named(0)}
    script.say = lambda *_: (404, gone)
    with pytest.raises(NeutronUnavailable, match="answered 404 to GET ports: Port 7 could not"):
        neutron(http_retries="1").security_groups([IDS[0]])


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, {"NeutronError": {"type": "X", "message": "disk full"}}, "500 to GET ports: disk fu"),
        (503, b"<html>no backend</html>", "answered 503 to GET ports$"),
        (403, {}, "answered 403 to GET ports: check the user of .neutron. and its roles"),
        (401, {}, "answered 401 to GET ports: check the user"),
        (404, b"", "answered 404 to GET ports"),
        (200, b"<html>log in</html>", "no list of them"),
        (200, {"something": []}, "no list of them"),
        (200, {"ports": [{"device_id": 7}]}, "no list of them: .*device_id"),
        (200, b"", "no list of them"),
    ],
)
def test_faults_are_told_in_a_sentence(
    script: Any, neutron: Make, status: int, body: Any, said: str
) -> None:
    """Whatever Neutron says that is no list is a failure with a reason, never "nobody"."""
    script.say = lambda *_: (status, body)
    client = neutron()
    for ask in (
        lambda: client.device_at_address("10.0.0.1"),
        lambda: client.security_groups([IDS[0]]),
    ):
        with pytest.raises(NeutronUnavailable, match=said):
            ask()


@contextmanager
def dripping() -> Iterator[str]:
    """A server that sends a header line every now and then, and never ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b"X-Drop: 1\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join()


@pytest.mark.parametrize("asks", ["address", "groups"])
def test_dripping_answer_ends_at_the_deadline(neutron: Make, asks: str) -> None:
    """An answer that comes byte by byte does not hold whoever waits, nor the thread."""
    with dripping() as url:
        client = neutron(deadline=0.5, endpoint_override=url, http_retries="0")
        with pytest.raises(NeutronUnavailable, match=r"did not answer within 0\.5 s"):
            if asks == "address":
                client.device_at_address("10.0.0.1")
            else:
                client.security_groups([IDS[0]])
        before = time.monotonic()
        client.close()
        client._calls._threads.shutdown(wait=True)
        client._groups._threads.shutdown(wait=True)
        assert time.monotonic() - before < 10  # the dripping itself would go on for ever


def test_keystone_that_says_nothing(neutron: Make) -> None:
    """The sentence names the one that was waited for; so does that of the next who asks."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = neutron(
            deadline=0.5,
            auth_type="v3password",
            auth_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v3",
            username="nova",
            user_domain_id="default",
            password="secret",
            timeout="2",
        )
        for _ in range(2):
            with pytest.raises(NeutronUnavailable, match=r"be asked: .*Keystone did"):
                client.device_at_address("10.0.0.1")


def test_what_is_observed(script: Any, tmp_path: Path) -> None:
    """Each list that is read is told of, with what came of it."""
    path = tmp_path / "nova.conf"
    path.write_text(f"[neutron]\nauth_type = none\nendpoint_override = {script.url}\n")
    seen: list[tuple[str, bool]] = []
    settings = conf.load("metadata", [str(path)])
    client = open_neutron(settings, observe=lambda name, whole, _: seen.append((name, whole)))
    populate(script)
    client.security_groups([IDS[0]])
    script.say = lambda *_: (500, {})
    with pytest.raises(NeutronUnavailable):
        client.device_at_provider("lb", "10.0.0.1")
    assert seen == [("ports", True), ("security-groups", True), ("subnets", False)]
    client.close()


def test_timeout_of_a_read_is_the_operators(script: Any, neutron: Make) -> None:
    """``[neutron] timeout`` ends a read before the deadline does, and is not tried again."""
    over = threading.Event()
    script.say = lambda *_: (over.wait(30), (200, {"ports": []}))[1]
    with pytest.raises(NeutronUnavailable, match="GET ports: sent nothing for 1 s"):
        neutron(timeout="1").device_at_address("10.0.0.1")
    over.set()
    assert len(script.asked) == 1


def test_retries_fit_into_the_deadline(neutron: Make) -> None:
    """However many retries are allowed, the fault is told in time, and it is the real one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = neutron(
        deadline=1.0, endpoint_override=f"http://127.0.0.1:{port}", http_retries="1000"
    )
    with pytest.raises(NeutronUnavailable, match="cannot be reached: Connection refused"):
        client.device_at_address("10.0.0.1")
