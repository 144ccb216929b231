"""Who is answered, who only seems to be, and how often."""

from pathlib import Path

import pytest
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.instance.answer import State
from firstlight.vendordata.contract import Context, ProviderFailed
from firstlight.vendordata.policy.provider_policy import ProviderPolicy, register
from firstlight.vendordata.policy.release_once import Ledger, OncePerBoot
from unit.vendordata.confided import SECRET, Safe, ask


@pytest.mark.parametrize(
    ("terms", "state"),
    [
        (ProviderPolicy(), State.OK),
        (ProviderPolicy(allow_projects=frozenset({"red", "blue"})), State.OK),
        (ProviderPolicy(allow_projects=frozenset({"blue"})), State.EMPTY),
        (ProviderPolicy(allow_images=frozenset({"windows"})), State.OK),
        (ProviderPolicy(allow_images=frozenset({"linux"})), State.EMPTY),
        (
            ProviderPolicy(allow_projects=frozenset({"red"}), allow_images=frozenset({"linux"})),
            State.EMPTY,
        ),
    ],
)
def test_allow_rules(terms: ProviderPolicy, state: State) -> None:
    """Both have to hold; who is not allowed gets nothing, and the provider is not even asked."""
    calls: list[Context] = []
    provider = Safe(lambda context: calls.append(context) or {"x": 1})
    outcome = ask(terms, provider, project_id="red", image_id="windows")
    assert outcome.state is state
    assert bool(calls) is (state is State.OK)
    assert bool(outcome.reason) is (state is State.EMPTY)


def test_a_volume_has_no_image() -> None:
    """An instance that was booted from one is not let through a rule about images."""
    assert (
        ask(ProviderPolicy(allow_images=frozenset({"windows"})), image_id="").state is State.EMPTY
    )


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
def once(tmp_path: Path, nova: Actions, clock: Clock) -> ProviderPolicy:
    """Released for a minute to each boot."""
    ledger = Ledger(tmp_path / "state" / "released.sqlite")
    return ProviderPolicy(release=OncePerBoot("safe", nova, ledger, window=60, clock=clock))  # type: ignore[arg-type]


def test_a_boot_may_ask_again_for_a_while(once: ProviderPolicy, clock: Clock) -> None:
    """From the first answer on, not from the last; then there is nothing more to say."""
    for seconds in (0, 30, 29):
        clock.now += seconds
        assert ask(once).state is State.OK
    clock.now += 1
    over = ask(once)
    assert (over.state, over.value) == (State.EMPTY, {})
    assert "released" in str(over.reason)


def test_another_boot_starts_anew(once: ProviderPolicy, nova: Actions, clock: Clock) -> None:
    """What Nova did counts; what else it did to the instance does not."""
    ask(once)
    clock.now += 61
    nova.done += ["attach_volume", "pause"]
    assert ask(once).state is State.EMPTY
    nova.done += ["reboot"]
    assert ask(once).state is State.OK


def test_instances_do_not_share_a_release(once: ProviderPolicy, clock: Clock) -> None:
    """Nor does one take another's away."""
    ask(once)
    clock.now += 61
    assert ask(once, instance_id="another").state is State.OK
    assert ask(once).state is State.EMPTY


def test_nobody_may_keep_what_is_released_once(once: ProviderPolicy) -> None:
    """A memory somewhere would go on giving it out."""
    assert ask(once).max_age is None


def test_what_was_not_said_is_not_released(once: ProviderPolicy, clock: Clock) -> None:
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
        terms = ProviderPolicy(release=OncePerBoot("safe", nova, ledger, window=60, clock=clock))  # type: ignore[arg-type]
        assert ask(terms).state is expected
        clock.now += 61


def test_no_secret_is_written_down(once: ProviderPolicy, tmp_path: Path) -> None:
    """The ledger holds times and ids."""
    ask(once)
    assert all(SECRET.encode() not in file.read_bytes() for file in (tmp_path / "state").iterdir())


def test_an_instance_that_nova_never_booted(once: ProviderPolicy, nova: Actions) -> None:
    """It gets nothing."""
    nova.done = []
    assert ask(once).state is State.EMPTY


def test_when_that_cannot_be_known_nothing_is_given(once: ProviderPolicy, nova: Actions) -> None:
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


def test_a_shadow_releases_nothing(tmp_path: Path, nova: Actions, clock: Clock) -> None:
    """It may ask for as long as it likes."""
    ledger = Ledger(tmp_path / "released.sqlite")
    release = OncePerBoot("safe", nova, ledger, window=60, clock=clock)  # type: ignore[arg-type]
    ask(ProviderPolicy(shadow=True, release=release))
    clock.now += 61
    assert ask(ProviderPolicy(release=release)).state is State.OK
