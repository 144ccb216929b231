"""Who is answered, who only seems to be, and how often."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.instance.answer import State
from firstlight.vendordata import answers, audit
from firstlight.vendordata.asking import asked
from firstlight.vendordata.contract import Clients, Context, Provider, ProviderFailed
from firstlight.vendordata.outcome import Outcome
from firstlight.vendordata.panel import Panel
from firstlight.vendordata.releases import Ledger, OncePerBoot
from firstlight.vendordata.terms import Terms, register
from firstlight.vendordata.testing import a_context

SECRET = "hunter2"


class Safe(Provider):
    """Knows a secret."""

    max_age = 60
    confidential = True

    def __init__(self, script: Callable[[Context], Any] | None = None) -> None:
        self._script = script or (lambda context: {"password": SECRET})

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> "Safe":
        raise NotImplementedError

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        answer: Mapping[str, Any] | None = self._script(context)
        return answer


def ask(terms: Terms, provider: Provider | None = None, **known: Any) -> Outcome:
    """One question on these terms."""
    context = a_context(**known)
    return asked("safe", provider or Safe(), context, clock=time.monotonic, terms=terms)


@pytest.mark.parametrize(
    ("terms", "state"),
    [
        (Terms(), State.OK),
        (Terms(allow_projects=frozenset({"red", "blue"})), State.OK),
        (Terms(allow_projects=frozenset({"blue"})), State.EMPTY),
        (Terms(allow_images=frozenset({"windows"})), State.OK),
        (Terms(allow_images=frozenset({"linux"})), State.EMPTY),
        (
            Terms(allow_projects=frozenset({"red"}), allow_images=frozenset({"linux"})),
            State.EMPTY,
        ),
    ],
)
def test_allow_rules(terms: Terms, state: State) -> None:
    """Both have to hold; who is not allowed gets nothing, and the provider is not even asked."""
    calls: list[Context] = []
    provider = Safe(lambda context: calls.append(context) or {"x": 1})
    outcome = ask(terms, provider, project_id="red", image_id="windows")
    assert outcome.state is state
    assert bool(calls) is (state is State.OK)
    assert bool(outcome.reason) is (state is State.EMPTY)


def test_a_volume_has_no_image() -> None:
    """An instance that was booted from one is not let through a rule about images."""
    assert ask(Terms(allow_images=frozenset({"windows"})), image_id="").state is State.EMPTY


def test_options_are_read_by_name(tmp_path: Path) -> None:
    """Every provider's section has them, and a bad value names its section."""
    path = tmp_path / "c"
    path.write_text("[provider:a]\nallow_projects = p1, p2\n[provider:b]\nrelease_window = soon\n")
    conf = cfg.ConfigOpts()
    conf(["--config-file", str(path)], default_config_files=[])
    register(conf, ["a"])
    assert conf["provider:a"].allow_projects == ["p1", "p2"]
    with pytest.raises(ConfigError, match=r"\[provider:b\].*release_window"):
        register(conf, ["b"])


class Actions:
    """What Nova did to instances."""

    def __init__(self, *done: str) -> None:
        self.done = list(done)

    def actions(self, context: Context) -> list[dict[str, str]]:
        """The latest first, as Nova lists them."""
        return [
            {"action": action, "request_id": f"req-{number}", "start_time": f"2026-01-{number:02}"}
            for number, action in reversed(list(enumerate(self.done, 1)))
        ]


@pytest.fixture
def nova() -> Actions:
    return Actions("create")


class Clock:
    """Stands still."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def once(tmp_path: Path, nova: Actions, clock: Clock) -> Terms:
    """Released for a minute to each boot."""
    ledger = Ledger(tmp_path / "state" / "released.sqlite")
    return Terms(release=OncePerBoot("safe", nova, ledger, window=60, clock=clock))  # type: ignore[arg-type]


def test_a_boot_may_ask_again_for_a_while(once: Terms, clock: Clock) -> None:
    """From the first answer on, not from the last; then there is nothing more to say."""
    for seconds in (0, 30, 29):
        clock.now += seconds
        assert ask(once).state is State.OK
    clock.now += 1
    over = ask(once)
    assert (over.state, over.value) == (State.EMPTY, {})
    assert "released" in str(over.reason)


def test_another_boot_starts_anew(once: Terms, nova: Actions, clock: Clock) -> None:
    """What Nova did counts; what else it did to the instance does not."""
    ask(once)
    clock.now += 61
    nova.done += ["attach_volume", "pause"]
    assert ask(once).state is State.EMPTY
    nova.done += ["reboot"]
    assert ask(once).state is State.OK


def test_instances_do_not_share_a_release(once: Terms, clock: Clock) -> None:
    """Nor does one take another's away."""
    ask(once)
    clock.now += 61
    assert ask(once, instance_id="another").state is State.OK
    assert ask(once).state is State.EMPTY


def test_nobody_may_keep_what_is_released_once(once: Terms) -> None:
    """A memory somewhere would go on giving it out."""
    assert ask(once).max_age is None


def test_what_was_not_said_is_not_released(once: Terms, clock: Clock) -> None:
    """A provider that fails or has nothing to say does not start the time."""

    def away(context: Context) -> None:
        raise ProviderFailed("Vault is away.")

    ask(once, Safe(away))
    ask(once, Safe(lambda context: None))
    clock.now += 1000
    assert ask(once).state is State.OK


def test_a_restart_forgets_nothing(tmp_path: Path, nova: Actions, clock: Clock) -> None:
    """A second process, or the same one later, reads the same times."""
    for expected in (State.OK, State.EMPTY):
        ledger = Ledger(tmp_path / "released.sqlite")
        terms = Terms(release=OncePerBoot("safe", nova, ledger, window=60, clock=clock))  # type: ignore[arg-type]
        assert ask(terms).state is expected
        clock.now += 61


def test_no_secret_is_written_down(once: Terms, tmp_path: Path) -> None:
    """The ledger holds times and ids."""
    ask(once)
    assert all(SECRET.encode() not in file.read_bytes() for file in (tmp_path / "state").iterdir())


def test_an_instance_that_nova_never_booted(once: Terms, nova: Actions) -> None:
    """It gets nothing."""
    nova.done = []
    assert ask(once).state is State.EMPTY


def test_when_that_cannot_be_known_nothing_is_given(once: Terms, nova: Actions) -> None:
    """Nova away is a failure, and no release."""

    def away(context: Context) -> list[dict[str, str]]:
        raise ProviderFailed("Asking Nova failed.")

    nova.actions = away  # type: ignore[method-assign]
    assert ask(once).state is State.FAILED


def test_a_ledger_that_cannot_be_written(tmp_path: Path) -> None:
    """Stops the start, by the name of the option."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="state_path"):
        Ledger(tmp_path / "file" / "released.sqlite")


@contextmanager
def panel(provider: Provider, terms: Terms, counted: Callable[[Outcome], None]) -> Iterator[Panel]:
    made = Panel({"safe": provider}, threads=1, counted=counted, terms={"safe": terms})
    try:
        yield made
    finally:
        made.close()


def told(made: Panel, request: str = "req-1") -> Outcome:
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

    with panel(Safe(slow), Terms(shadow=True), count) as made:
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
    reply = answers.by_provider([other, shadow])
    assert reply.cache_control == "max-age=60"
    assert answers.bare(shadow).cache_control == "no-store"


def test_a_shadow_releases_nothing(tmp_path: Path, nova: Actions, clock: Clock) -> None:
    """It may ask for as long as it likes."""
    ledger = Ledger(tmp_path / "released.sqlite")
    release = OncePerBoot("safe", nova, ledger, window=60, clock=clock)  # type: ignore[arg-type]
    ask(Terms(shadow=True, release=release))
    clock.now += 61
    assert ask(Terms(release=release)).state is State.OK


def test_mistakes_of_who_knows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    """The log says where, not what: an exception may quote the secret."""

    def clumsy(context: Context) -> dict[str, str]:
        raise KeyError(SECRET)

    outcome = ask(Terms(), Safe(clumsy))
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
    reply = answers.by_provider(given)
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
    assert answers.cloud_init([inside, beside]).secrets == ("in",)
    assert answers.bare(beside).secrets == ("beside",)


def test_a_forged_line(caplog: pytest.LogCaptureFixture) -> None:
    """What a caller sent cannot end the line and begin another."""
    caplog.set_level(logging.INFO, "firstlight.audit")
    reply = answers.bare(outcome("licence", value={"t": 1}))
    audit.note(reply, a_context(image_id="x\n[req-0] the secret"), request="r", caller="")
    assert "\n" not in caplog.records[0].getMessage()
