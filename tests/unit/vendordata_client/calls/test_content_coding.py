"""Content codings of an answer: what is read, what is refused, and what it may cost."""

import gzip
import random
import tracemalloc
import zlib

import pytest

from firstlight.vendordata_client.calls.content_coding import Decoder, TooLarge, Undecodable

LIMIT = 1 << 20
TEXT = b'{"some": "text"}' * 5000
CHANCE = random.Random(20261130)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


READ = {
    "none": ("", TEXT),
    "identity": ("identity", TEXT),
    "unknown": ("utf-8", TEXT),
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip": (" X-GZIP ", gzip.compress(TEXT)),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "bare deflate": ("deflate", raw_deflate(TEXT)),
    "members": ("gzip", b"".join(gzip.compress(TEXT[n : n + 97]) for n in range(0, 80_000, 97))),
    "garbage behind a member": ("gzip", gzip.compress(TEXT) + b"garbage" * 100),
    "twice": ("deflate, gzip", gzip.compress(zlib.compress(TEXT))),
    "five times": (
        "gzip, gzip, deflate, gzip, gzip",
        gzip.compress(gzip.compress(zlib.compress(gzip.compress(gzip.compress(TEXT))))),
    ),
    "unknown beside": ("utf-8, gzip", gzip.compress(TEXT)),
}


def decoded(encoding: str, body: bytes, step: int, limit: int = LIMIT) -> bytes:
    decoder = Decoder(encoding, limit)
    for first in range(0, len(body), step):
        decoder.feed(body[first : first + step])
    return decoder.content()


@pytest.mark.parametrize("step", [1, 7, 16 * 1024])
@pytest.mark.parametrize("case", READ)
def test_codings(case: str, step: int) -> None:
    """Each coding is undone, in whatever pieces the body comes."""
    encoding, body = READ[case]
    assert decoded(encoding, body, step) == TEXT


@pytest.mark.parametrize("size", [65535, 65536, 65537, 65536 * 3])
def test_around_a_step(size: int) -> None:
    """Nothing is left inside the decompressor when a step ends where the answer does."""
    data = b"a" * size
    assert decoded("gzip", gzip.compress(data), 16 * 1024) == data
    assert decoded("deflate", raw_deflate(data), 16 * 1024) == data


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", TEXT),
        ("gzip", gzip.compress(TEXT)[:-8] + b"01234567"),
        ("deflate", b"\x78\x9cnonsense"),
        ("gzip, gzip", gzip.compress(TEXT)),
    ],
)
def test_what_is_not_so_coded(encoding: str, body: bytes) -> None:
    """A body that is not what it says is refused."""
    with pytest.raises(Undecodable):
        decoded(encoding, body, 1000)


@pytest.mark.parametrize("encoding", [", ".join(["gzip"] * 6), "," * 100_000])
def test_too_many_codings(encoding: str) -> None:
    """Nobody needs more than five."""
    with pytest.raises(Undecodable):
        Decoder(encoding, LIMIT)


def bomb(times: int, megabytes: int) -> bytes:
    """So many MiB of zeros, compressed so many times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    data = b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()
    for _ in range(times - 1):
        data = gzip.compress(data)
    return data


# The last decodes to nothing, by way of twenty bytes for each empty member.
BOMBS = {
    "once": ("gzip", bomb(1, 64)),
    "twice": ("gzip, gzip", bomb(2, 64)),
    "three times": ("gzip, gzip, gzip", bomb(3, 64)),
    "empty members": ("gzip, gzip", gzip.compress(gzip.compress(b"") * 200_000)),
    "more empty members than may be sent": ("gzip", gzip.compress(b"") * 100_000),
}


@pytest.mark.parametrize("case", BOMBS)
def test_bombs(case: str) -> None:
    """An answer that grows costs no more memory than an answer may have, whatever is between."""
    encoding, body = BOMBS[case]
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decoded(encoding, body, 16 * 1024)
        assert tracemalloc.get_traced_memory()[1] < 3 * LIMIT
    finally:
        tracemalloc.stop()


def test_random_bytes() -> None:
    """Nonsense is refused or decoded; nothing else is raised."""
    for _ in range(300):
        body = bytearray(gzip.compress(TEXT))
        for _ in range(CHANCE.randrange(4)):
            body[CHANCE.randrange(len(body))] = CHANCE.randrange(256)
        try:
            decoded(CHANCE.choice(("gzip", "deflate", "gzip, deflate")), bytes(body), 700)
        except (Undecodable, TooLarge):
            continue
