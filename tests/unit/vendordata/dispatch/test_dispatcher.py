"""Asking providers side by side."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pytest
from oslo_config import cfg

from firstlight.instance.answer import State
from firstlight.vendordata.contract import Clients, Context, Provider, ProviderFailed
from firstlight.vendordata.dispatch.dispatcher import Dispatcher
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.testing import a_context

Answer = Callable[[Context], Any]


class Scripted(Provider):
    """Says what its script says."""

    max_age = 5

    def __init__(self, script: Answer) -> None:
        self._script = script
        self.closed = False

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> "Scripted":
        raise NotImplementedError

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        answer: Mapping[str, Any] | None = self._script(context)
        return answer

    def close(self) -> None:
        self.closed = True


def fail(error: Exception) -> Answer:
    def raising(context: Context) -> None:
        raise error

    return raising


@contextmanager
def panel(threads: int = 2, **scripts: Answer) -> Iterator[tuple[Dispatcher, list[Outcome]]]:
    counted: list[Outcome] = []
    providers = {name: Scripted(script) for name, script in scripts.items()}
    with closing(Dispatcher(providers, threads=threads, counted=counted.append)) as made:
        yield made, counted
    assert all(provider.closed for provider in providers.values())


def ask(made: Dispatcher, seconds: float = 5.0) -> dict[str, Outcome]:
    until = time.monotonic() + seconds
    outcomes = made.ask(a_context(), made.names, until=until, request="req-1")
    return {outcome.provider: outcome for outcome in outcomes}


def test_ok_empty_failed(caplog: pytest.LogCaptureFixture) -> None:
    """Each provider's outcome is its own, counted, and failures are logged with all that helps."""
    with panel(
        good=lambda context: {"x": context.hostname},
        silent=lambda context: None,
        hollow=lambda context: {},
        sorry=fail(ProviderFailed("Asking the oracle failed.")),
        broken=fail(KeyError("s3cret")),
    ) as (made, counted):
        outcomes = ask(made)
    assert {name: outcome.state for name, outcome in outcomes.items()} == {
        "good": State.OK,
        "silent": State.EMPTY,
        "hollow": State.EMPTY,
        "sorry": State.FAILED,
        "broken": State.FAILED,
    }
    assert outcomes["good"].value == {"x": "foo"}
    assert outcomes["good"].max_age == 5
    assert outcomes["sorry"].reason == "Asking the oracle failed."
    assert "s3cret" not in str(outcomes["broken"].reason)
    assert counted == list(outcomes.values())
    (line,) = [r.getMessage() for r in caplog.records if "oracle" in r.getMessage()]
    assert line.startswith(f"[req-1] instance {a_context().instance_id}: provider sorry: failed in")


@pytest.mark.parametrize(
    "answer", [["a list"], "text", 3, {"x": object()}, {"x": {1: object}}, {"cloud-config": []}]
)
def test_an_answer_that_is_no_json_object(answer: Any) -> None:
    """What cannot be answered has failed, and takes nothing else with it."""
    with panel(odd=lambda context: answer, good=lambda context: {"x": 1}) as (made, _):
        outcomes = ask(made)
    assert outcomes["odd"].state is State.FAILED
    assert outcomes["good"].state is State.OK


def test_a_late_provider_costs_only_its_key() -> None:
    """At the deadline the others' answers are there, and the late one is named."""
    release = threading.Event()
    with panel(late=lambda context: release.wait(30), good=lambda context: {"x": 1}) as (made, _):
        outcomes = ask(made, seconds=0.2)
        release.set()
    assert outcomes["good"].state is State.OK
    assert outcomes["late"].state is State.FAILED
    assert outcomes["late"].reason == "It had not answered by the deadline."
    assert outcomes["late"].seconds >= 0.2


def test_a_hanging_provider_starves_only_itself() -> None:
    """When all of its threads hang it is late at once for lack of them, and nobody else is."""
    release = threading.Event()
    with panel(threads=1, hung=lambda context: release.wait(30), good=lambda context: {"x": 1}) as (
        made,
        _,
    ):
        ask(made, seconds=0.1)
        outcomes = ask(made, seconds=0.1)
        release.set()
    assert outcomes["hung"].reason == "Every thread of this provider was busy."
    assert outcomes["good"].state is State.OK


def test_they_are_asked_side_by_side() -> None:
    """Two providers that wait for each other both answer."""
    both = threading.Barrier(2, timeout=5)

    def meet(context: Context) -> dict[str, bool]:
        both.wait()
        return {"met": True}

    with panel(one=meet, two=meet) as (made, _):
        assert {o.state for o in ask(made).values()} == {State.OK}


def test_what_was_said_cannot_change_later() -> None:
    """A provider may keep and change its object; the answer stays as it was given."""
    mine = {"l": [1]}
    with panel(keeps=lambda context: mine) as (made, _):
        said = ask(made)["keeps"].value
    mine["l"].append(2)
    assert said == {"l": [1]}
