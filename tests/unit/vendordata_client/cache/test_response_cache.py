"""Kept answers: bounded, and only for the question they answer."""

from typing import Any

from firstlight.instance import Answer, State
from firstlight.vendordata_client.cache.freshness import CacheLifetime
from firstlight.vendordata_client.cache.response_cache import CachedResponse, ResponseCache


def kept(question: bytes = b"q", length: int = 0, **more: Any) -> CachedResponse:
    dates = {"fresh_until": 10.0, "refresh_until": 20.0, "stands_until": 30.0} | more
    answer = Answer(value=1, state=State.OK, fetched=0.0)
    return CachedResponse(
        answer=answer, question=question, told=CacheLifetime(), length=length, **dates
    )


def test_another_question() -> None:
    """What was answered when an instance had another name is no answer now."""
    shelf = ResponseCache(10_000)
    shelf.put("a", kept(b"old"))
    assert shelf.get("a", b"new") is None
    assert shelf.get("a", b"old") is not None


def test_it_is_bounded() -> None:
    """In bytes, and since none takes less than a kibibyte, in number; the least used go first."""
    shelf = ResponseCache(3 * 1024)
    for name in "abc":
        shelf.put(name, kept())
    assert shelf.get("a", b"q") is not None
    shelf.put("d", kept())
    assert [shelf.look(name) is not None for name in "abcd"] == [True, False, True, True]
    assert (len(shelf), shelf.bytes, shelf.evicted) == (3, 3 * 1024, 1)


def test_what_is_larger_than_the_shelf() -> None:
    """It is not kept, and costs nobody else's."""
    shelf = ResponseCache(3 * 1024)
    shelf.put("a", kept())
    shelf.put("big", kept())
    shelf.put("big", kept(length=1024))
    assert [shelf.look(name) is not None for name in ("a", "big")] == [True, False]
    assert (shelf.bytes, shelf.evicted) == (1024, 1)


def test_taking_back() -> None:
    """Dropping gives the room back, and what is not there can be dropped."""
    shelf = ResponseCache(10_000)
    shelf.put("a", kept(length=100))
    shelf.put("a", kept(length=200))
    assert shelf.bytes == 1024 + 600
    shelf.drop("a")
    shelf.drop("a")
    assert shelf.bytes == 0


def test_outdated() -> None:
    """What changed is fresh no more and may still stand in; of None everything is."""
    shelf = ResponseCache(10_000)
    a, b = kept(), kept()
    shelf.put("a", a)
    shelf.put("b", b)
    shelf.outdate("a", 5.0)
    shelf.outdate("unknown", 5.0)
    assert (a.fresh_until, a.refresh_until, a.stands_until) == (5.0, 5.0, 30.0)
    assert b.fresh_until == 10.0
    shelf.outdate(None, 6.0)
    assert (a.fresh_until, b.fresh_until) == (5.0, 6.0)
