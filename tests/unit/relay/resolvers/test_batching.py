"""Batches: who is asked about with whom, and when."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address

from firstlight.relay.contract import Found, Guest, Origin, Resolution, Via
from firstlight.relay.resolvers.batching import ResolverBatches

PLACE = Origin(Via.NETWORK, "3b5c1f0e-6f0a-4c53-9a51-1f6f3d1f7c11")
FOUND = Found("one", "project", "port", "fa:16:3e:00:00:01")
PATIENCE = 30


class Held:
    """A resolver whose first question hangs until it is let go."""

    name = "test"

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.began = threading.Event()
        self.let_go = threading.Event()

    def resolve(self, guests: Sequence[Guest], *, fresh: bool = False) -> Sequence[Resolution]:
        first = not self.asked
        self.asked.append(len(guests))
        if first:
            self.began.set()
            assert self.let_go.wait(PATIENCE)
        return [FOUND] * len(guests)

    def trouble(self) -> str | None:
        return None

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def batches(resolver: Held, *, long: float) -> Iterator[ResolverBatches]:
    """Batches on `resolver`, which is let go in the end."""
    made = ResolverBatches(
        resolver,
        lambda _guest, resolution, _began: resolution,
        threads=2,
        most=100,
        waiting=100,
        window=0,
        long=long,
    )
    try:
        yield made
    finally:
        resolver.let_go.set()
        made.close()


def guest(number: int) -> Guest:
    return Guest(PLACE, ip_address(f"10.0.0.{number}"))


def test_who_comes_while_one_is_asked_about_is_in_the_next() -> None:
    """One question is under way at a time, and one more has all who came meanwhile."""
    resolver = Held()
    with batches(resolver, long=PATIENCE) as made:
        first = made.ask(guest(1), fresh=False)
        assert resolver.began.wait(PATIENCE)
        rest = [made.ask(guest(number), fresh=False) for number in range(2, 8)]
        resolver.let_go.set()
        assert {one.result(PATIENCE) for one in (first, *rest)} == {FOUND}
    assert resolver.asked == [1, 6]


def test_a_question_that_hangs_holds_nobody_else_up() -> None:
    """Who has waited long is asked about beside the question that does not come back."""
    resolver = Held()
    with batches(resolver, long=0.01) as made:
        first = made.ask(guest(1), fresh=False)
        assert resolver.began.wait(PATIENCE)
        assert made.ask(guest(2), fresh=False).result(PATIENCE) == FOUND
        assert made.ask(guest(3), fresh=False).result(PATIENCE) == FOUND
        assert not first.done()
    assert resolver.asked == [1, 1, 1]
