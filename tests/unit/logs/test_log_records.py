"""What may stand in a log line, whatever formatter an operator has chosen."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oslo_config import cfg
from oslo_log import formatters

from firstlight import log_records
from firstlight.conf import load

SECRET = "the-licence-key"
# Line ends of ASCII, of C1 (NEL) and of Unicode; what terminals obey (ESC, CSI); text that turns
# round, or is not seen; half a character.
EVIL = "a\r\nb\x85c\u2028d\x1be\x9bf\u202eg\u200bh\x00i\x7fj\u2066k\ud800l\u061cm\x0bn"


@pytest.fixture
def conf(tmp_path: Path) -> Iterator[cfg.ConfigOpts]:
    """A configuration as a service reads it; the process is as before afterwards."""
    before = logging.getLogRecordFactory()
    empty = tmp_path / "c"
    empty.touch()
    yield load("vendordata", [str(empty)])
    logging.setLogRecordFactory(before)
    logging.captureWarnings(capture=False)


Say = Callable[..., list[str]]


@pytest.fixture(params=["oslo", "plain", "json"])
def say(request: pytest.FixtureRequest, conf: cfg.ConfigOpts) -> Iterator[Say]:
    """Do something that logs, and read what was written."""
    kind = {
        "oslo": lambda: formatters.ContextFormatter(config=conf),
        "plain": lambda: logging.Formatter("%(levelname)s %(message)s"),
        "json": formatters.JSONFormatter,
    }[request.param]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(kind())
    root = logging.getLogger()
    root.addHandler(handler)

    def written(act: Callable[[], None]) -> list[str]:
        act()
        said = stream.getvalue()
        if request.param == "json":
            said = "\n".join(json.dumps(json.loads(line)) for line in said.splitlines())
        return said.splitlines() if "\x85" not in said else [said]

    yield written
    root.removeHandler(handler)


LOGGERS = ("firstlight.metadata.identity", "keystonemiddleware.auth_token")


@pytest.mark.parametrize("name", LOGGERS)
@pytest.mark.parametrize(
    "call",
    [
        lambda log: log.warning("asked by %s, %d times, %r", EVIL, 3, EVIL),
        lambda log: log.warning("asked by %(who)s", {"who": EVIL}),
        lambda log: log.warning("refused: %s", ValueError(EVIL)),
        lambda log: log.warning("path %s", Path(EVIL.replace("\x00", ""))),
    ],
)
def test_one_line_of_what_is_printed(
    say: Say, name: str, call: Callable[[logging.Logger], None]
) -> None:
    """Whatever the values are, ours or a library's."""
    lines = say(lambda: call(logging.getLogger(name)))
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert "a\\r\\nb" in lines[0].replace("\\\\", "\\")


def test_a_library_that_formats_itself(say: Say) -> None:
    """Its text is not a fixed one."""
    lines = say(lambda: logging.getLogger("urllib3").warning(f"odd {EVIL}"))
    assert len(lines) == 1
    assert lines[0].isprintable()


def fail(error: Exception) -> None:
    raise error


def _mistake() -> None:
    try:
        fail(ValueError(EVIL))
    except ValueError:
        logging.getLogger("firstlight.wire").exception("a fault")


def test_tracebacks(say: Say) -> None:
    """Of many lines, each of which can be shown."""
    lines = say(_mistake)
    assert any("_mistake" in line for line in lines)
    assert all(line.isprintable() for line in lines), lines


class Away(Exception):
    """Of the kind that oslo.log adds by itself."""


def test_an_exception_that_is_not_named(conf: cfg.ConfigOpts) -> None:
    """oslo.log adds the one that is being handled; what was left out of a message stays out."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatters.ContextFormatter(config=conf))
    log = logging.getLogger("firstlight.hidden")
    log.addHandler(handler)
    try:
        fail(Away(SECRET))
    except Away as error:
        log.warning("something failed; its words are secret")
        assert SECRET not in stream.getvalue()
        log.warning("something failed", exc_info=error)
    assert f"something failed: {Away.__module__}.Away: {SECRET}" in stream.getvalue()


def test_what_libraries_say_meanwhile(say: Say) -> None:
    """Of a confidential provider's call nothing of theirs is written, on its thread."""

    def act() -> None:
        with log_records.confidential(), log_records.confidential():
            logging.getLogger("urllib3.connectionpool").warning("retrying: /?key=%s", SECRET)
        logging.getLogger("urllib3.connectionpool").warning("another: %s", "shown")

    first, second = say(act)
    assert "left out" in first
    assert SECRET not in first
    assert "another: shown" in second


@pytest.mark.parametrize("text", ["plain", "Größe 東京 é", ""])
def test_text_stays_as_it_is(text: str) -> None:
    """Escapes are for what cannot be seen."""
    assert log_records.clean(text) == text
    assert log_records.clean_lines(f"{text}\n\t{text}") == f"{text}\n\t{text}"
