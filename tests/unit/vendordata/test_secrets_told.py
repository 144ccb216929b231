"""Secrets: providers in the shadow, the log, the audit."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from firstlight.instance.answer import State
from firstlight.vendordata.auth import audit
from firstlight.vendordata.contract import Context, Provider
from firstlight.vendordata.dispatch.dispatcher import Dispatcher
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.http import responses
from firstlight.vendordata.policy.provider_policy import ProviderPolicy
from firstlight.vendordata.testing import a_context
from unit.vendordata.confided import SECRET, Safe, ask


@contextmanager
def panel(
    provider: Provider, terms: ProviderPolicy, counted: Callable[[Outcome], None]
) -> Iterator[Dispatcher]:
    made = Dispatcher({"safe": provider}, threads=1, counted=counted, terms={"safe": terms})
    try:
        yield made
    finally:
        made.close()


def told(made: Dispatcher, request: str = "req-1") -> Outcome:
    until = time.monotonic() + 5
    [outcome] = made.ask(a_context(), ["safe"], until=until, request=request)
    return outcome


def test_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """It is asked, counted and logged; nobody is told, nobody waits, and nothing is shown of it."""
    caplog.set_level(logging.INFO)
    go, done = threading.Event(), threading.Event()
    counted: list[Outcome] = []

    def count(outcome: Outcome) -> None:
        counted.append(outcome)

    def slow(context: Context) -> dict[str, str]:
        go.wait(20)
        return {"password": SECRET}

    with panel(Safe(slow), ProviderPolicy(shadow=True), count) as made:
        answered = told(made)
        assert (answered.state, answered.value, counted) == (State.EMPTY, {}, [])
        assert told(made, "req-2").state is State.EMPTY  # its one thread is busy
        go.set()
        while not counted:
            done.wait(0.01)
    assert counted[0].state is State.OK
    assert "req-2] shadow safe: busy" in caplog.text
    assert "shadow safe: ok" in caplog.text
    assert "keys password" in caplog.text
    assert SECRET not in caplog.text


def test_a_shadow_does_not_change_who_may_keep_an_answer() -> None:
    """The answer is that of the others."""
    shadow = Outcome(provider="s", state=State.EMPTY, shadow=True)
    other = Outcome(provider="o", state=State.OK, value={"x": 1}, max_age=60)
    reply = responses.by_provider([other, shadow])
    assert reply.cache_control == "max-age=60"
    assert responses.bare(shadow).cache_control == "no-store"


def test_mistakes_of_who_knows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """The log says where, not what: an exception may quote the secret."""

    def clumsy(context: Context) -> dict[str, str]:
        raise KeyError(SECRET)

    outcome = ask(ProviderPolicy(), Safe(clumsy))
    assert outcome.state is State.FAILED
    assert "KeyError" in str(outcome.reason)
    assert "in clumsy" in caplog.text
    assert SECRET not in caplog.text + str(outcome.reason)


def outcome(name: str, **known: Any) -> Outcome:
    return Outcome(provider=name, state=State.OK, confidential=True, max_age=5, **known)


def test_an_audit_line_for_each_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Who got what, for whom, who asked, under which request; not the secret."""
    caplog.set_level(logging.INFO, "firstlight.audit")
    given = [
        outcome("licence", value={"token": SECRET}),
        Outcome(provider="public", state=State.OK, value={"x": 1}),
        Outcome(provider="nothing", state=State.EMPTY, confidential=True),
    ]
    reply = responses.by_provider(given)
    audit.note(reply, a_context(instance_id="i1", project_id="p1"), request="req-9", caller="nova")
    [record] = caplog.records
    line = record.getMessage()
    for part in ("[req-9]", "licence", "instance i1", "project p1", "user nova"):
        assert part in line
    assert SECRET not in line


def test_cloud_init_gives_out_only_what_is_in_it() -> None:
    """A secret beside the cloud-config is not in the text, so it is not audited."""
    inside = outcome("in", value={"cloud-config": {"a": SECRET}})
    beside = outcome("beside", value={"token": SECRET})
    assert responses.cloud_init([inside, beside]).secrets == ("in",)
    assert responses.bare(beside).secrets == ("beside",)


def test_a_forged_line(caplog: pytest.LogCaptureFixture) -> None:
    """What a caller sent cannot end the line and begin another."""
    caplog.set_level(logging.INFO, "firstlight.audit")
    reply = responses.bare(outcome("licence", value={"t": 1}))
    audit.note(reply, a_context(image_id="x\n[req-0] the secret"), request="r", caller="")
    assert "\n" not in caplog.records[0].getMessage()
