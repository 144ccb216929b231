"""What strangers can make the service do: no look-up, nothing forgotten, no flood of the log."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from firstlight.conf import ConfigError, load
from firstlight.httpd.protocol.messages import Request
from firstlight.instance import Instance
from support.servers.metadata_service import NAME, A, Bench, ask, begin, signed, told

PASSWORD = "/openstack/latest/password"

# No UUIDs, as an agent might sign them after a look-up gone wrong; unsigned ones get 403 before.
ODD = [
    "",
    "a",
    "A" * 236,
    "A" * 250,
    A.upper(),
    A.replace("-", ""),
    "{" + A + "}",
    A + " ",
    "a\tb",
    "a%0d%0ab",
    "../" + A,
    "00000000-0000-4000-8000-0000000000zz",
]


class Watched:
    """A cache between processes, which notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def instance(
        self, uuid: str, read: Callable[[str], Instance | None]
    ) -> tuple[Instance | None, float]:
        self.asked.append(uuid)
        return read(uuid), 0.0

    def forget(self, uuid: str | None) -> None:
        self.asked.append(uuid)


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_uuid(bench: Bench, odd: str) -> None:
    """It is nobody's: 404, without a look at the memory, the shared cache or the database."""
    cache = Watched()
    service = bench.service(shared=cache)
    response = ask(service, NAME, signed(odd))
    assert response.status == 404
    assert (bench.shelf.reads, cache.asked, len(service.records)) == (0, [], 0)
    assert ask(service, NAME, signed(A)).status == 200


REFUSED = [
    ("PUT", b"x"),
    ("DELETE", b""),
    ("PATCH", b"x"),
    ("HEAD", b""),
    ("OPTIONS", b""),
    ("GETS", b""),
    ("POST", b"x" * 1021),
    ("POST", b"\xff"),
]


@pytest.mark.parametrize(("method", "body"), REFUSED)
def test_a_refused_password_forgets_nothing(bench: Bench, method: str, body: bytes) -> None:
    """The next question is answered from memory, here and by the others."""
    cache = Watched()
    service = bench.service(shared=cache, ttl=3600)
    ask(service, NAME, signed())
    del cache.asked[:]
    for _ in range(3):
        refused = told(begin(service, PASSWORD, signed(), method=method, body=body))
        assert refused.status == (200 if method == "OPTIONS" else 400)
        assert ask(service, NAME, signed()).status == 200
    assert (bench.shelf.reads, cache.asked) == (1, [])


def test_without_a_length(bench: Bench) -> None:
    """The same for a POST of unknown length."""
    service = bench.service(ttl=3600)
    ask(service, NAME, signed())
    headers = {name.encode(): value.encode() for name, value in signed().items()}
    refused = told(service.handle(Request("POST", PASSWORD, headers, b"x", peer="192.0.2.10")))
    assert refused.status == 400
    ask(service, NAME, signed())
    assert bench.shelf.reads == 1


def test_a_password_that_is_set_already(bench: Bench) -> None:
    """A second one is refused by the source; what is remembered is forgotten only if it is old."""
    service, other = bench.service(ttl=3600), bench.service(ttl=3600)

    def post(to: object) -> int:
        return told(begin(to, PASSWORD, signed(), method="POST", body=b"p")).status  # type: ignore[arg-type]

    ask(other, NAME, signed())  # it remembers a server without a password
    assert post(service) == 200
    assert ask(service, PASSWORD, signed()).body == b"p"
    reads = bench.shelf.reads
    assert [post(service) for _ in range(3)] == [409] * 3
    assert ask(service, PASSWORD, signed()).body == b"p"
    assert bench.shelf.reads == reads
    assert post(other) == 409
    assert ask(other, PASSWORD, signed()).body == b"p"
    assert bench.shelf.reads == reads + 1


@pytest.mark.parametrize("value", [",canary", "canary,,b", "a, ,canary"], ids="123")
def test_an_empty_secret(tmp_path: Path, value: str) -> None:
    """In the list of older ones it stops the start, and the message has none of the others."""
    conf = tmp_path / "metadata.conf"
    conf.write_text(f"[firstlight]\nprevious_shared_secrets = {value}\n")
    with pytest.raises(ConfigError, match="previous_shared_secrets") as refused:
        load("metadata", [str(conf)])
    assert "item of the list is empty" in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (signed() | {"x-instance-id-signature": "0" * 64}, "signature does not match"),
        (signed(project="another"), "does not own instance"),
        (signed("00000000-0000-4000-8000-0000000000ff"), "no instance"),
    ],
)
def test_a_flood(
    bench: Bench, caplog: pytest.LogCaptureFixture, headers: dict[str, str], said: str
) -> None:
    """Of one kind of line there are few, however often a stranger causes it."""
    caplog.set_level(logging.INFO, "firstlight.metadata")
    service = bench.service()
    for number in range(200):
        ask(service, NAME, headers | {"x-forwarded-for": f"192.0.2.{number}"})
    assert len([r for r in caplog.records if said in r.getMessage()]) <= 10
