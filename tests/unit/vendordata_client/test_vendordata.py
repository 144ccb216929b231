"""Vendor data as the options say."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from firstlight import conf
from firstlight.concurrency.deadline import Deadline
from firstlight.instance import Answer, Instance, State
from firstlight.vendordata_client import (
    AuthMisconfigured,
    ResponseCache,
    StaticJSON,
    TargetStatus,
    VendorData,
    vendor_data,
)

INSTANCE = Instance(
    uuid="2ae914e9-f5ab-44ce-b2a2-dcf8373d899d", project_id="p", name="n", hostname="h"
)
GOOD = Answer(value=[1], state=State.OK, fetched=0.0)
STALE = Answer(value=[1], state=State.STALE, fetched=0.0, reason="answered 500")
BAD = Answer(value={}, state=State.FAILED, fetched=0.0, reason="answered 500")


class Says(Struct):
    """Targets that always give these answers."""

    answers: dict[str, Answer]

    def ask(self, instance: Instance, deadline: float | None = None) -> dict[str, Answer]:
        return self.answers

    def begin(self, instance: Instance, **how: Any) -> dict[str, Answer]:
        return self.answers

    def outdate(self, uuid: str | None) -> None:
        """The answers are always the same."""

    def shelves(self) -> dict[str, ResponseCache]:
        return {}

    def accounts(self, uuid: str) -> list[TargetStatus]:
        return []

    def close(self) -> None:
        """Nothing is open."""


def load(tmp_path: Path, text: str) -> VendorData:
    path = tmp_path / "metadata.conf"
    path.write_text(text)
    return vendor_data(conf.load("metadata", [str(path)]))


def test_static_only(tmp_path: Path) -> None:
    """Nova's default: StaticJSON, without a file; nobody is asked."""
    data = load(tmp_path, "")
    assert data.static() == {}
    assert data.ask(INSTANCE) == {}
    assert data.problem() is None


def test_the_static_file_is_read_whatever_the_providers(tmp_path: Path) -> None:
    """A broken file is reported even if StaticJSON is not among the providers, as in Nova."""
    data = load(
        tmp_path, "[api]\nvendordata_providers = DynamicJSON\nvendordata_jsonfile_path = /no"
    )
    assert "/no" in (data.problem() or "")


def test_a_layer_around(tmp_path: Path) -> None:
    """Whatever can be asked may stand where the targets stand."""
    assert VendorData(StaticJSON(None), Says({"a": GOOD})).ask(INSTANCE) == {"a": GOOD}


def test_fatal_only_if_configured() -> None:
    """A failed target is fatal where the operator says so, and is named; a stale one never is."""
    answers = {"a": GOOD, "s": STALE, "b": BAD}
    assert VendorData(StaticJSON(None)).fatal(answers) is None
    strict = VendorData(StaticJSON(None), required=["a", "s", "b"])
    assert strict.fatal(answers) == "required target b answered 500"
    assert strict.fatal({"a": GOOD, "s": STALE}) is None
    assert VendorData(StaticJSON(None), required=["a", "s"]).fatal(answers) is None


def test_read_timeout_of_zero(tmp_path: Path) -> None:
    """With it every call would fail, so the start fails and names the option."""
    text = "[api]\nvendordata_dynamic_read_timeout = 0\n"
    assert load(tmp_path, text).ask(INSTANCE) == {}  # nobody is called: nobody minds
    with pytest.raises(ValueError, match="vendordata_dynamic_read_timeout is 0"):
        load(tmp_path, text + "vendordata_providers = StaticJSON, DynamicJSON\n")


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ("auth_type = passport", "passport"),
        ("auth_type = password", "auth_url"),
        ("auth_section = elsewhere\n[elsewhere]\nauth_type = passport", "passport"),
    ],
)
def test_auth_that_cannot_work(tmp_path: Path, section: str, named: str) -> None:
    """An auth_type that is unknown or lacks an option stops the start by name."""
    text = f"[api]\nvendordata_providers = DynamicJSON\n[vendordata_dynamic_auth]\n{section}\n"
    with pytest.raises(AuthMisconfigured, match=named) as raised:
        load(tmp_path, text)
    assert "[vendordata_dynamic_auth]" in str(raised.value)


def test_no_auth_is_warned_about_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without auth_type the targets are called without a token, and the log says so."""
    load(tmp_path, "[api]\nvendordata_providers = DynamicJSON\n")
    assert [r.getMessage().count("without a token") for r in caplog.records] == [1]


def test_deadline() -> None:
    """A deadline counts down by the clock handed in and never below nothing."""
    now = [10.0]
    deadline = Deadline(2.0, lambda: now[0])
    now[0] = 11.5
    assert (deadline.left(), deadline.spent()) == (0.5, 1.5)
    now[0] = 20.0
    assert deadline.left() == 0.0
    assert str(deadline) == "2 s"
