"""Errands to Neutron on threads of their own, so that who waits can stop waiting."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from firstlight.concurrency.deadline import Deadline
from firstlight.openstack.cancellable import CancellableSocket
from firstlight.sources.ports import NeutronUnavailable

T = TypeVar("T")


class NeutronCall:
    """One errand: until when, and on which leash what it reads from Neutron is kept.

    What it reads from Keystone is not on it: a token that comes late is there for the next.
    """

    def __init__(self, seconds: float) -> None:
        self.deadline = Deadline(seconds)
        self.leash = CancellableSocket()
        self._whom = "Neutron"

    @contextmanager
    def asking(self, whom: str) -> Iterator[None]:
        """In the block it is not Neutron that is waited for."""
        self._whom = whom
        try:
            yield
        finally:
            self._whom = "Neutron"

    def late(self) -> NeutronUnavailable:
        """It took too long, and whose fault that is."""
        said = f"{self._whom} did not answer within {self.deadline}"
        if self._whom == "Neutron":
            return NeutronUnavailable(said)
        return NeutronUnavailable(f"Neutron cannot be asked: {said}")


class NeutronCalls:
    """Runs errands, `threads` of them at a time, none of which is waited for beyond `seconds`."""

    def __init__(self, threads: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(threads, "neutron")
        self._seconds = seconds

    def run(self, errand: Callable[[NeutronCall], T]) -> T:
        """What `errand` returns or raises.

        Raises:
            NeutronUnavailable: it took too long; its thread is freed.
        """
        call = NeutronCall(self._seconds)
        future = self._threads.submit(errand, call)
        try:
            return future.result(call.deadline.left())
        except TimeoutError as error:
            if future.cancel():
                raise crowded(call.deadline) from error
            call.leash.cut()
            raise call.late() from error

    def close(self) -> None:
        """End the threads once they are idle."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def crowded(deadline: Deadline) -> NeutronUnavailable:
    """No thread was free in all that time."""
    return NeutronUnavailable(
        f"Neutron was not asked within {deadline}: too many questions to it are open"
    )
