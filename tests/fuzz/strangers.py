"""Requests as a stranger may put them together, and who may be told something for them."""

import itertools
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st

from conformance.asking import signature
from fuzz import canaries

T = TypeVar("T")
Field = tuple[bytes, bytes]


class Sent(NamedTuple):
    """A request in pieces, and whose proof of identity is in it."""

    pieces: tuple[bytes, ...]
    proves: str | None


_WORDS = [
    b"openstack", b"latest", b"2018-08-27", b"2012-08-10", b"meta_data.json", b"user_data",
    b"password", b"vendor_data.json", b"vendor_data2.json", b"network_data.json", b"content",
    b"0000", b"ec2", b"1.0", b"2009-04-04", b"meta-data", b"user-data", b"public-keys", b"0",
    b"_name", b"openssh-key", b"block-device-mapping", b"root", b"instance-id", b"security-groups",
    b"", b".", b"..", b"...", b"%2e%2e", b"%2E", b"%2f", b"%5c..", b"%00", b"%", b"%zz",
    b"%c3%28", b"%c3%a9", b"%0d%0a", b"~", b"*", b"?", b"#", b";", b"a" * 300, b"version",
    b"0=" + canaries.mark("bob").encode() + b"keypair",
]  # fmt: skip
_NO_TARGETS = [b"*", b"x:y", b"latest", b"/\xff", b"/\xc3\xa9", b"/a\x00b", b"/ /", b"//\x7f"]
_METHODS = [b"GET", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"PROPFIND"]
_NO_METHODS = [b"TRACE", b"CONNECT", b"get", b"", b"G E T", b"\x00", b"X" * 100, b"PRI"]
_VERSIONS = [b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"]
_NO_VERSIONS = [b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2", b"", b"FTP"]
_NO_ENDS = [b"\n", b"\r", b"\r\n\r\n", b" \r\n", b"\x00\r\n"]
_VALUES = [b"x", b"", b"a" * 9000, b"\xff" * 20, b"*/*", b"chunked", b"\t", b"127.0.0.22", b"close"]
_JUNK = st.one_of(st.binary(max_size=40), st.just(b"x\r\nX-Tenant-ID: y"))
_NAMES = [
    b"Accept", b"Cookie", b"Connection", b"Upgrade", b"Expect", b"TE", b"Trailer",
    b"Range", b"X-Instance-ID", b"x_instance_id", b"X-Tenant-ID", b"X-Instance-ID-Signature",
    b"X-Metadata-Provider", b"X-Metadata-Provider-Signature", b"X-Forwarded-For", b"Forwarded",
    b"X-OpenStack-Request-Id", b"Firstlight-Stale", b"Content-Encoding",
]  # fmt: skip
_NO_NAMES = [b"Host", b"", b" ", b"\xff", b"a b"]
_LENGTHS = [
    b"0", b"1", b"5", b"1020", b"1021", b"70000", b"99999999999999999999999", b"-1", b"+1", b"0x5",
    b"1, 1", b"5, 6", b"", b" 5 ", b"five", b"\xb2",
]  # fmt: skip


def mostly(right: st.SearchStrategy[T], wrong: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """What passes the first gate, nine times of ten: faults in all places at once find nothing."""
    return st.sampled_from([right] * 9 + [wrong]).flatmap(lambda chosen: chosen)


def targets() -> st.SearchStrategy[bytes]:
    """Request targets: paths of words that mean something and words that mean harm."""
    path = st.lists(st.sampled_from(_WORDS), max_size=6).map(lambda words: b"/" + b"/".join(words))
    known = st.sampled_from(
        [
            b"/openstack/latest/meta_data.json",
            b"/openstack/latest/user_data",
            b"/openstack/latest/password",
            b"/latest/meta-data/local-hostname",
        ]
    )
    before = st.sampled_from([b"/", b"//", b"/..", b"http://169.254.169.254", b"https://x:1"])
    right = st.one_of(known, path, st.builds(bytes.__add__, before, path))
    return mostly(right, st.one_of(st.binary(max_size=60), st.sampled_from(_NO_TARGETS)))


def identity(claims: str, proves: str) -> st.SearchStrategy[list[Field]]:
    """Headers that say `claims` is asking, with what `proves` has to show, shuffled and doubled."""
    own, other = canaries.instance(proves), canaries.instance(claims)
    lb = canaries.load_balancer(proves)
    fields = [
        (b"X-Instance-ID", own.uuid),
        (b"X-Instance-ID", other.uuid),
        (b"X-Tenant-ID", own.project_id),
        (b"X-Tenant-ID", other.project_id),
        (b"x-instance-id-signature", signature(canaries.SECRET, own.uuid)),
        (b"X-Metadata-Provider", lb),
        (b"X-Metadata-Provider", canaries.load_balancer(claims)),
        (b"X-Metadata-Provider-Signature", signature(canaries.SECRET, lb)),
        (b"X-Forwarded-For", canaries.address(claims)),
        (b"X-Forwarded-For", canaries.address(proves)),
    ]
    encoded = [(name, value.encode()) for name, value in fields]
    right = [encoded[0], encoded[2], encoded[4]]
    return st.one_of(st.just(right), st.lists(st.sampled_from(encoded), max_size=8))


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[Field], bytes]:
    """A body with the headers that say how long it is, or claim to."""
    body = draw(st.one_of(st.just(b""), st.binary(max_size=30), st.just(b"x" * 1021)))
    right = (b"Content-Length", b"%d" % len(body))
    chunked = (b"Transfer-Encoding", b"chunked")
    wrong = st.sampled_from(_LENGTHS).map(lambda length: (b"Content-Length", length))
    codings = st.sampled_from([b"chunked", b"gzip, chunked", b"identity", b"chunked, x", b"\x00"])
    coded = codings.map(lambda coding: (b"Transfer-Encoding", coding))
    framed = st.sampled_from([[right], [right], [chunked]])
    framing = draw(mostly(framed, st.lists(st.one_of(st.just(right), wrong, coded), max_size=3)))
    if framing == [chunked]:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return framing, body


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """One request, whole or cut, in one packet or in several, perhaps with another behind it."""
    proves = draw(st.sampled_from(canaries.NAMES))
    claims = draw(st.sampled_from(canaries.NAMES))
    fields = draw(identity(claims, proves))
    framing, body = draw(bodies())
    odd = st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES))
    junk = mostly(odd, st.tuples(st.sampled_from(_NAMES + _NO_NAMES), _JUNK))
    fields = [(b"Host", b"169.254.169.254"), *fields, *framing, *draw(st.lists(junk, max_size=3))]
    if draw(st.booleans()):
        fields = draw(st.permutations(fields))
    end = draw(mostly(st.just(b"\r\n"), st.sampled_from(_NO_ENDS)))
    line = (
        draw(mostly(st.sampled_from(_METHODS), st.sampled_from(_NO_METHODS))),
        draw(targets()),
        draw(mostly(st.sampled_from(_VERSIONS), st.sampled_from(_NO_VERSIONS))),
    )
    head = b" ".join(line) + end + b"".join(b"%b: %b%b" % (*field, end) for field in fields) + end
    data = (head + body) * draw(st.sampled_from([1, 1, 1, 2]))
    return Sent(_cut(data, draw(st.lists(st.integers(0, len(data)), max_size=3))), proves)


@st.composite
def noise(draw: st.DrawFn) -> Sent:
    """Bytes that were never a request."""
    data = draw(st.one_of(st.binary(max_size=200), st.just(b"\x16\x03\x01\x02\x00\x01" * 20)))
    return Sent(_cut(data, [len(data) // 2]), None)


def _cut(data: bytes, at: list[int]) -> tuple[bytes, ...]:
    places = [0, *sorted(at), len(data)]
    pieces = [data[begin:end] for begin, end in itertools.pairwise(places)]
    return tuple(piece for piece in pieces if piece)
