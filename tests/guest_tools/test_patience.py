"""How the service is asked: with patience, within bounds. Real sockets on loopback."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from firstlight_guest.deadline import Deadline, pauses
from firstlight_guest.errors import CouldNotAsk, GuestError, NotThere
from firstlight_guest.service import Service, at

Answer = Callable[[BaseHTTPRequestHandler, int], None]


def say(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    headers.setdefault("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def served(answer: Answer) -> Iterator[tuple[Service, list[str]]]:
    """A service that answers like this; the paths that were asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path == "/openstack" and answer.__name__ != "listing":
                return say(self, 200, b"latest")
            return answer(self, len([path for path in asked if path == self.path]))

        do_POST = do_GET  # noqa: N815  the base class wants it

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Service(Deadline(3), at(f"http://127.0.0.1:{server.server_port}")), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_asks_again(status: int) -> None:
    """What may be another answer in a moment is asked again."""

    def once_busy(handler: BaseHTTPRequestHandler, number: int) -> None:
        say(handler, status if number == 1 else 200, b"x")

    with served(once_busy) as (service, asked):
        assert service.get("/a") == b"x"
    assert asked == ["/openstack", "/a", "/a"]


def test_retry_after() -> None:
    """The pause that the service asks for is kept."""
    times: list[float] = []

    def busy(handler: BaseHTTPRequestHandler, number: int) -> None:
        times.append(time.monotonic())
        say(handler, 503 if number == 1 else 200, b"x", Retry_After="2")

    with served(busy) as (service, _asked):
        assert service.get("/a") == b"x"
    assert times[1] - times[0] >= 2


def test_listing_not_found_is_asked_again() -> None:
    """A guest that is not known yet, as its port is being bound, is not given up."""

    def listing(handler: BaseHTTPRequestHandler, number: int) -> None:
        unknown = handler.path == "/openstack" and number == 1
        say(handler, 404 if unknown else 200, b"latest")

    with served(listing) as (service, asked):
        assert service.get("/a") == b"latest"
    assert asked == ["/openstack", "/openstack", "/a"]


@pytest.mark.parametrize(("status", "error"), [(404, NotThere), (403, CouldNotAsk)])
def test_final_answers(status: int, error: type[GuestError]) -> None:
    """What asking again would not change is not asked again."""
    wanted = pytest.raises(error)
    with served(lambda handler, _n: say(handler, status)) as (service, asked), wanted:
        service.get("/a")
    assert asked == ["/openstack", "/a"]


def test_deadline() -> None:
    """A service that stays away ends in a failure, and not before the time that was given."""
    began = time.monotonic()
    with pytest.raises(CouldNotAsk):
        Service(Deadline(0.5), at("http://127.0.0.1:1")).get("/a")
    assert time.monotonic() - began >= 0.5


def test_too_long() -> None:
    """An answer without an end is not read to its end."""

    def endless(handler: BaseHTTPRequestHandler, _number: int) -> None:
        say(handler, 200, b"x" * (9 << 20))

    with served(endless) as (service, _asked):
        service.deadline = Deadline(0)
        with pytest.raises(CouldNotAsk, match="passes"):
            service.get("/a")


def test_cut_off() -> None:
    """An answer that is shorter than it says is no answer."""

    def short(handler: BaseHTTPRequestHandler, number: int) -> None:
        say(handler, 200, b"x", Content_Length="1" if number == 2 else "9")

    with served(short) as (service, asked):
        assert service.get("/a") == b"x"
    assert asked.count("/a") == 2


def test_post_once() -> None:
    """What changes something is sent once, whatever comes of it."""
    wanted = pytest.raises(CouldNotAsk)
    with served(lambda handler, _n: say(handler, 500)) as (service, asked), wanted:
        service.post("/a", b"x")
    assert asked == ["/openstack", "/a"]


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x/y", "http://x:99999", "x"])
def test_no_url(url: str) -> None:
    """What is no address of a service is refused with a sentence."""
    with pytest.raises(GuestError):
        at(url)


def test_pauses() -> None:
    """Pauses grow, and end growing."""
    steps = pauses()
    values = [next(steps) for _ in range(12)]
    assert all(0.25 <= value <= 8 for value in values)
    assert values[-1] >= 4
