"""What may stand in a log line, whatever formatter an operator has chosen."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
    kind: dict[str, Callable[[], logging.Formatter]] = {
        "oslo": lambda: formatters.ContextFormatter(config=conf),
        "plain": lambda: logging.Formatter("%(levelname)s %(message)s"),
        "json": lambda: log_records.PartsFormatter(formatters.JSONFormatter()),
    }
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(kind[request.param]())
    root = logging.getLogger()
    root.addHandler(handler)

    def written(act: Callable[[], None]) -> list[str]:
        act()
        said = stream.getvalue()
        if request.param == "json":
            said = "\n".join(
                json.dumps(json.loads(line), ensure_ascii=False) for line in said.splitlines()
            )
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
        logging.getLogger("firstlight.httpd").exception("a fault")


def test_tracebacks(say: Say) -> None:
    """Of many lines, each of which can be shown."""
    lines = say(_mistake)
    assert any("_mistake" in line for line in lines)
    assert all(line.isprintable() for line in lines), lines


class Away(Exception):
    """Of the kind that oslo.log adds by itself."""


def test_an_exception_that_is_not_named(say: Say) -> None:
    """oslo.log adds the one that is being handled; what was left out of a message stays out."""
    log = logging.getLogger("firstlight.hidden")

    def act(*, named: bool) -> None:
        try:
            fail(Away(SECRET))
        except Away as error:
            log.warning("something failed", exc_info=error if named else None)

    assert SECRET not in "".join(say(lambda: act(named=False)))
    assert f"{Away.__module__}.Away: {SECRET}" in "".join(say(lambda: act(named=True)))


class Url(tuple[str, str]):  # as sqlalchemy's
    """A value that hides a part of itself, and that JSON would take apart."""

    def __str__(self) -> str:
        return "db://***"


class Keeping(logging.Handler):
    """Keeps what its formatter makes, as fluentd's passes it on."""

    def __init__(self, made: list[Any]) -> None:
        super().__init__()
        self._made = made

    def emit(self, record: logging.LogRecord) -> None:
        """Format it."""
        self._made.append(self.format(record))


@pytest.mark.parametrize("kind", [formatters.JSONFormatter, formatters.FluentFormatter])
def test_each_part(conf: cfg.ConfigOpts, kind: type[logging.Formatter]) -> None:
    """Of what is written as parts none has what a line would not have."""
    made: list[Any] = []
    handler = Keeping(made)
    handler.setFormatter(log_records.PartsFormatter(kind()))
    log = logging.getLogger("library")
    log.addHandler(handler)
    url = Url(("db", SECRET))
    try:
        fail(Away(SECRET))
    except Away:
        log.warning("%s asked %d times", url, 3, extra={"extra": {EVIL: EVIL, "url": url}})
        log.warning("%(url)s", {"url": url, "unused": SECRET})
        log.warning(url)
    log.removeHandler(handler)
    parts = [json.loads(each) if isinstance(each, str) else each for each in made]
    assert [each["message"] for each in parts] == ["db://*** asked 3 times", "db://***", "db://***"]
    assert {each["error_summary"] for each in parts} == {""}
    assert parts[0]["extra"] == {
        log_records.clean(EVIL): log_records.clean(EVIL),
        "url": "db://***",
    }
    assert SECRET not in str(parts)


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


@pytest.mark.parametrize("name", ["sqlalchemy.engine.Engine", "urllib3.connectionpool"])
def test_values_of_rows_and_urls(say: Say, name: str) -> None:
    """They are not written, whatever an operator has asked for; warnings are."""
    log = logging.getLogger(name)
    log.setLevel(logging.DEBUG)

    def act() -> None:
        log.debug("Row %r", (SECRET,))
        log.warning("lost %s", "a connection")

    row, lost = say(act)
    log.setLevel(logging.NOTSET)
    assert "Row %r" in row
    assert SECRET not in row
    assert "lost a connection" in lost


@pytest.mark.parametrize("text", ["plain", "Größe 東京 é", ""])
def test_text_stays_as_it_is(text: str) -> None:
    """Escapes are for what cannot be seen."""
    assert log_records.clean(text) == text
    assert log_records.clean_lines(f"{text}\n\t{text}") == f"{text}\n\t{text}"
