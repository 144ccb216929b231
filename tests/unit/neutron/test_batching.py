"""Gathering: those who ask together share a batch, and nobody waits for ever."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from firstlight.neutron.batching import BatchedLookups
from firstlight.neutron.calls import NeutronCall
from firstlight.sources.ports import NeutronUnavailable


class Teller:
    """Answers each id with itself; can be held, and can fail."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []
        self.go = threading.Event()
        self.go.set()
        self.began = threading.Event()
        self.fault: Exception | None = None

    def ask(self, ids: Sequence[str], call: NeutronCall) -> Mapping[str, str]:
        self.asked.append(ids)
        self.began.set()
        assert self.go.wait(10)
        if self.fault is not None:
            raise self.fault
        return {key: key for key in ids}


def gathering(teller: Teller, *, most: int = 50, threads: int = 1, seconds: float = 10.0):  # type: ignore[no-untyped-def]
    return BatchedLookups(teller.ask, window=0.02, most=most, threads=threads, seconds=seconds)


def test_busy_means_bigger_batches() -> None:
    """While one batch is with Neutron, all who come make the next one."""
    teller = Teller()
    teller.go.clear()
    ours = gathering(teller)
    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(ours.get, ["first"])
        assert teller.began.wait(10)
        rest = [threads.submit(ours.get, [str(i)]) for i in range(19)]
        while len(ours._open.ids if ours._open else ()) < 19:
            pass
        teller.go.set()
        assert first.result() == {"first": "first"}
        assert [f.result() for f in rest] == [{str(i): str(i)} for i in range(19)]
    assert sorted(map(len, teller.asked)) == [1, 19]
    ours.close()


def test_the_same_id_is_asked_once() -> None:
    """Ten who ask about one instance are one id in one batch."""
    teller = Teller()
    ours = gathering(teller)
    assert ours.get(["a"] * 10) == {"a": "a"}
    assert teller.asked == [("a",)]
    ours.close()


def test_batches_are_bounded() -> None:
    """What does not fit goes into the next batch."""
    teller = Teller()
    ours = gathering(teller, most=3)
    assert list(ours.get("abcdefg")) == list("abcdefg")
    assert teller.asked == [("a", "b", "c"), ("d", "e", "f"), ("g",)]
    ours.close()


def test_nothing_is_asked_about_nobody() -> None:
    """No ids, no question."""
    teller = Teller()
    ours = gathering(teller)
    assert ours.get([]) == {}
    assert teller.asked == []
    ours.close()


def test_a_fault_is_everyones_of_that_batch_only() -> None:
    """Who asks afterwards is asked for again."""
    teller = Teller()
    teller.fault = NeutronUnavailable("away")
    ours = gathering(teller)
    with pytest.raises(NeutronUnavailable, match="away"):
        ours.get(["a", "b"])
    teller.fault = None
    assert ours.get(["a"]) == {"a": "a"}
    ours.close()


def test_who_gave_up_is_not_asked_for() -> None:
    """A batch whose askers have all gone while it stood in the queue is dropped."""
    teller = Teller()
    teller.go.clear()
    ours = gathering(teller, seconds=0.2)
    with pytest.raises(NeutronUnavailable, match=r"did not answer within 0\.2 s"):
        ours.get(["first"])
    with pytest.raises(NeutronUnavailable, match=r"was not asked within 0\.2 s: too many"):
        ours.get(["second"])
    teller.go.set()
    assert ours.get(["third"]) == {"third": "third"}
    assert ("second",) not in teller.asked
    ours.close()


def test_forsaken_call_is_cut() -> None:
    """When the last of those who wait has gone, what is read for them is ended."""
    teller, cut = Teller(), threading.Event()

    def ask(ids: Sequence[str], call: NeutronCall) -> Mapping[str, str]:
        call.leash.cut = cut.set  # type: ignore[method-assign]
        return teller.ask(ids, call)

    teller.go.clear()
    ours: BatchedLookups[str] = BatchedLookups(ask, window=0.0, most=9, threads=1, seconds=1.0)
    with pytest.raises(NeutronUnavailable):
        ours.get(["a"])
    assert cut.is_set()
    teller.go.set()
    ours.close()
