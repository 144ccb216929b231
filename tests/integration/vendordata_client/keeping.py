"""A clock that a test moves, and how answers were served."""

from typing import Any

from firstlight.instance import Instance, State
from firstlight.vendordata_client import NoObserver, ServedFrom, VendorData

PATIENCE = 20


class Time:
    """A clock and a timer that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Counting(NoObserver):
    """How answers were served."""

    def __init__(self) -> None:
        self.how: list[str] = []

    def served(self, target: str, how: ServedFrom) -> None:
        self.how.append(how.value)


def state(data: VendorData, instance: Instance) -> State:
    return data.ask(instance)["t"].state


def asked_after(data: VendorData, service: Any, instance: Instance, time: Time, wait: float) -> int:
    """How many questions reached the target, of one now and one in so many seconds."""
    data.ask(instance)
    time.now += wait
    data.ask(instance)
    return len(service.seen)
