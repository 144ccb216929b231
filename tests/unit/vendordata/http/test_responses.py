"""From outcomes to replies."""

from typing import Any

import pytest

from firstlight.instance.answer import State
from firstlight.vendordata.dispatch.outcome import Outcome
from firstlight.vendordata.http.responses import bare, by_provider, cache_control, cloud_init


def ok(name: str, max_age: int | None = 60, confidential: bool = False, **value: Any) -> Outcome:
    return Outcome(
        provider=name,
        state=State.OK if value else State.EMPTY,
        value={key.replace("_", "-"): item for key, item in value.items()},
        max_age=max_age,
        confidential=confidential,
    )


FAILED = Outcome(provider="broken", state=State.FAILED, reason="It broke.", max_age=60)


def test_by_provider() -> None:
    """Keyed by provider in order; nothing and failed are absent, failed is named."""
    reply = by_provider([ok("b", x=1), ok("empty"), FAILED, ok("a", y=2)])
    assert list(reply.value.items()) == [("b", {"x": 1}), ("a", {"y": 2})]
    assert reply.failed == ("broken",)


def test_cloud_config_is_taken_out() -> None:
    """It leaves the provider's object and appears merged under cloud-init, as text."""
    reply = by_provider([ok("a", x=1, cloud_config={"p": [1]}), ok("b", cloud_config={"p": [2]})])
    assert reply.value == {"a": {"x": 1}, "cloud-init": "#cloud-config\np:\n- 1\n- 2\n"}


def test_cloud_init_is_a_string() -> None:
    """The merged text alone, and the empty string where nobody gave any."""
    assert cloud_init([ok("a", x=1, cloud_config={"p": 1})]).value == "#cloud-config\np: 1\n"
    assert cloud_init([ok("a", x=1)]).value == ""


def test_bare() -> None:
    """One provider's object as it gave it, cloud-config and all."""
    given = {"x": 1, "cloud-config": {"p": 1}}
    assert bare(ok("a", x=1, cloud_config={"p": 1})).value == given
    assert bare(ok("a")).value == {}


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([ok("a", 60, x=1), ok("b", 30, x=1)], "max-age=30"),
        ([ok("a", 60, x=1), ok("b", 90, confidential=True, x=1)], "private, max-age=60"),
        ([ok("a", 60, x=1), ok("b", None, x=1)], "no-store"),
        ([ok("a", 60, x=1), FAILED], "no-store"),
        ([ok("a", 0, x=1)], "max-age=0"),
        ([ok("a", 60)], "max-age=60"),
        ([], "no-store"),
    ],
)
def test_cache_control(outcomes: list[Outcome], said: str) -> None:
    """The least that every provider allows; half an answer is not kept."""
    assert cache_control(outcomes) == said
