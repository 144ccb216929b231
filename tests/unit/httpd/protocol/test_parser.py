"""Bytes to requests: what is read, what is refused, and that pieces make no difference."""

import pytest

from firstlight.httpd.body_budget import BodyBudget
from firstlight.httpd.limits import Limits
from firstlight.httpd.protocol.parser import CLOSE, KEEP, KEEP_10, RequestParser
from firstlight.httpd.protocol.refusals import RequestRejected

SMALL = Limits(target=64, head=512, fields=8, body=32, pipeline=4)
HOST = b"Host: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Heard:
    """What a reader delivered."""

    def __init__(self):
        self.requests = []
        self.continues = 0

    def deliver(self, method, target, headers, body, keep, started):  # noqa: PLR0917  the parser's callback
        self.requests.append((method, target, headers, body, keep))
        return True

    def proceed(self):
        self.continues += 1


def read(data, step, limits=SMALL):
    """Feed `data` in pieces of `step` bytes; returns what was heard and the refusal's name."""
    heard = Heard()
    reader = RequestParser(limits, heard.deliver, heard.proceed)
    try:
        for first in range(0, len(data), step):
            reader.feed(data[first : first + step], 1.0)
    except RequestRejected as refused:
        return heard, refused.refusal.name
    return heard, None


@pytest.fixture(params=[1, 2, 7, 100_000], ids="by-{}".format)
def step(request):
    return request.param


GOOD = {
    "simple": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "/", b"", KEEP)),
    "query": (b"GET /a?b=%20c HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "/a?b=%20c", b"", KEEP)),
    "absolute": (b"GET http://x:1/a?b HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "/a?b", b"", KEEP)),
    "absolute, no path": (b"GET http://x?b HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", "/?b", b"", KEEP)),
    "star": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", ("OPTIONS", "*", b"", KEEP)),
    "unusual method": (b"PROPFIND / HTTP/1.1\r\n" + HOST + b"\r\n", ("PROPFIND", "/", b"", KEEP)),
    "blank lines first": (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", "/", b"", KEEP)),
    "close": (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        ("GET", "/", b"", CLOSE),
    ),
    "1.0": (b"GET / HTTP/1.0\r\n\r\n", ("GET", "/", b"", CLOSE)),
    "1.0 kept": (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ("GET", "/", b"", KEEP_10)),
    "body": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        ("POST", "/", b"abc", KEEP),
    ),
    "chunked": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'3;x="y"\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: z\r\n\r\n',
        ("POST", "/", b"abcde", KEEP),
    ),
    "dots": (b"GET /../../etc HTTP/1.1\r\n" + HOST + b"\r\n", ("GET", "/../../etc", b"", KEEP)),
}


@pytest.mark.parametrize("case", GOOD)
def test_well_formed_requests_are_read(case, step):
    """A well-formed request arrives whole, however it was cut into pieces."""
    data, expected = GOOD[case]
    heard, refused = read(data, step)
    assert refused is None
    assert [(m, t, b, k) for m, t, _, b, k in heard.requests] == [expected]


def test_headers(step):
    """Names are lower-case, values stripped, and one sent twice is joined with a comma."""
    data = b"GET / HTTP/1.1\r\nHost: a\r\nX-One:  b c \t\r\nx-one: d\r\nEmpty:\r\nHi: \xff\r\n\r\n"
    heard, _ = read(data, step)
    assert heard.requests[0][2] == {
        b"host": b"a",
        b"x-one": b"b c, d",
        b"empty": b"",
        b"hi": b"\xff",
    }


def test_trailers_are_not_headers(step):
    """A field behind a chunked body cannot pass for one in the head."""
    heard, _ = read(GOOD["chunked"][0], step)
    assert b"x-late" not in heard.requests[0][2]


def test_pipelined_requests_keep_their_order(step):
    """Several requests in one go are several requests."""
    one = b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n%d"
    heard, refused = read(b"".join(one % (n, n) for n in range(5)), step)
    assert refused is None
    assert [(t, b) for _, t, _, b, _ in heard.requests] == [
        (f"/{n}", str(n).encode()) for n in range(5)
    ]


def test_upgrade_is_declined(step):
    """A request for another protocol is an ordinary request, and so is the next."""
    data = b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    heard, refused = read(data + b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n", step)
    assert refused is None
    assert [t for _, t, _, _, _ in heard.requests] == ["/1", "/2"]


def test_what_follows_the_last_request_is_not_read(step):
    """Behind Connection: close there is nothing, garbage included."""
    data = GOOD["close"][0]
    heard, refused = read(data, step)
    heard, refused = read(data + (b"\0garbage" if step > len(data) else b""), step)
    assert refused is None
    assert len(heard.requests) == 1


def test_expect_continue(step):
    """100 Continue is asked for once, before the body; never for HTTP/1.0."""
    head = b"POST / HTTP/%s\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"
    assert read(head % b"1.1", step)[0].continues == 1
    assert read(head % b"1.0", step)[0].continues == 0


BAD = {
    "not HTTP": (b"\x16\x03\x01\x02\x00", "method"),
    "unknown method": (b"BREW / HTTP/1.1\r\n", "method"),
    "lower-case method": (b"get / HTTP/1.1\r\n\r\n", "method"),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "method"),
    "bare LF": (b"GET / HTTP/1.1\nHost: a\n\n", "malformed"),
    "bare LF in head": (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "malformed"),
    "bare CR": (b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", "malformed"),
    "folded": (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "malformed"),
    "NUL in target": (b"GET /\0 HTTP/1.1\r\n", "malformed"),
    "NUL in value": (b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", "malformed"),
    "control in value": (b"GET / HTTP/1.1\r\nX: a\x01b\r\n\r\n", "malformed"),
    "not ASCII in target": (b"GET /\xc3\xa4 HTTP/1.1\r\n", "malformed"),
    "blank before colon": (b"GET / HTTP/1.1\r\nX : a\r\n\r\n", "malformed"),
    "no name": (b"GET / HTTP/1.1\r\n: a\r\n\r\n", "malformed"),
    "no colon": (b"GET / HTTP/1.1\r\nabc\r\n\r\n", "malformed"),
    "relative target": (b"GET foo HTTP/1.1\r\n\r\n", "malformed"),
    "star for GET": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "bad-target"),
    "other scheme": (b"GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n", "bad-target"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", "no-host"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "no-host"),
    "HTTP/2": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "version"),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "malformed"),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "malformed",
    ),
    "chunks and length": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        "malformed",
    ),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        "malformed",
    ),
    "list of lengths": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", "malformed"),
    "signed length": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", "malformed"),
    "huge length": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9%s\r\n\r\n" % (b"9" * 30),
        "malformed",
    ),
    "other coding": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "coding"),
    "more coding": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "coding",
    ),
    "coding in 1.0": (
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "framing",
    ),
    "bad chunk size": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "malformed",
    ),
    "other expectation": (
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n",
        "expectation",
    ),
    "long target": (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 64), "target-long"),
    "large head": (b"GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % (b"a" * 512), "head-large"),
    "many fields": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(8)) + b"\r\n",
        "head-large",
    ),
    "one field often": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 8 + b"\r\n", "head-large"),
    "announced body": (
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 33\r\n\r\n",
        "body-large",
    ),
    "chunked body": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"20\r\n%s\r\n" % (b"a" * 32) * 2,
        "body-large",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused(case, step):
    """A request that could be read in two ways, or costs too much, is refused under one name."""
    data, name = BAD[case]
    heard, refused = read(data, step)
    assert (heard.requests, refused) == ([], name)


def test_endless_framing_is_refused():
    """Chunk extensions and trailers that never end have what the head has left."""
    limits = Limits(target=64, head=2048, body=64)
    for endless in (b"0;" + b"x" * 50_000, b"0\r\nX: " + b"y" * 50_000):
        _, refused = read(CHUNKED + endless, 100, limits)
        assert refused == "head-large"
    _, refused = read(CHUNKED + b"1;x=1234567890\r\nx\r\n" * 64, 100, limits)
    assert refused is None


@pytest.mark.parametrize(
    "trailer",
    [b"X: y\r\n" * 6, b"".join(b"X%d: y\r\n" % n for n in range(6)), b"X: %s\r\n" % (b"y" * 470)],
    ids=["one field often", "many fields", "a large one"],
)
def test_head_and_trailers_share_a_budget(trailer, step):
    """Fields behind the body count with those before it: eight here, and 512 bytes."""
    data = CHUNKED[:-2] + b"A: b\r\n\r\n3\r\nabc\r\n0\r\n"
    heard, refused = read(data + b"X: y\r\n\r\n", step)
    assert ([body for *_, body, _ in heard.requests], refused) == ([b"abc"], None)
    heard, refused = read(data + trailer + b"\r\n", step)
    assert (heard.requests, refused) == ([], "head-large")


def test_fields_are_bounded_as_they_arrive():
    """Fields without end are refused after some of them, in a head as behind a body."""
    for head in (b"GET / HTTP/1.1\r\nHost: a\r\n", CHUNKED + b"0\r\n"):
        for one in (b"a:b\r\n", b"%x:\r\n"):
            reader = RequestParser(Limits(), Heard().deliver, Heard().proceed)
            reader.feed(head, 1.0)
            with pytest.raises(RequestRejected) as refused:
                reader.feed(b"".join(one % n if b"%" in one else one for n in range(200)), 1.0)
            assert refused.value.refusal.name == "head-large"


def test_unfinished_bodies_share_a_budget():
    """What has come of bodies is counted, whoever sends them; past the budget one is refused. What
    arrives whole is not counted, and what ends is given back."""
    budget = BodyBudget(100)
    first, second, small = (
        RequestParser(Limits(), Heard().deliver, Heard().proceed, budget) for _ in range(3)
    )
    for reader in (first, second):
        reader.feed(CHUNKED, 1.0)
    first.feed(b"50\r\n" + b"x" * 0x50, 1.0)
    assert budget.taken == 0x50
    with pytest.raises(RequestRejected) as refused:
        second.feed(b"50\r\n" + b"x" * 0x50, 1.0)
    assert refused.value.refusal.name == "bodies-full"
    second.drop_body()
    small.feed(CHUNKED + b"50\r\n%s\r\n0\r\n\r\n" % (b"x" * 0x50), 1.0)
    assert budget.taken == 0x50
    first.feed(b"\r\n0\r\n\r\n", 1.0)
    second.forget()
    assert budget.taken == 0


def test_upgrades_without_end(step):
    """Requests that ask for another protocol, as many as one read holds, are answered each."""
    one = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    heard, refused = read(one * 1100, step, Limits())
    assert (len(heard.requests), refused) == (1100, None)


def test_time_counts_from_the_first_byte():
    """The head's clock starts with its first byte, the body's with the end of the head."""
    heard = Heard()
    reader = RequestParser(SMALL, heard.deliver, heard.proceed)
    reader.feed(b"\r\n", 1.0)
    assert reader.started == 0.0
    reader.feed(b"G", 2.0)
    reader.feed(b"ET / HTTP/1.1\r\n", 3.0)
    assert (reader.started, reader.body_started) == (2.0, 0.0)
    reader.feed(b"Host: a\r\nContent-Length: 1\r\n\r\n", 4.0)
    assert (reader.started, reader.body_started) == (2.0, 4.0)
    reader.feed(b"x", 5.0)
    assert (reader.started, reader.body_started) == (0.0, 0.0)
