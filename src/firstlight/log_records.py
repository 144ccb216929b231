"""What may stand in a log line: no control character, no exception that a call left out.

Installed once for the process, under every handler and formatter, so that it holds for what
libraries log as well.

* A line of Firstlight's is one line: what stands in the place of its named values is escaped, line
  ends included, and so is what a library logs. Left as they are: line ends in its fixed texts, and
  those of tracebacks.
* oslo.log adds the exception that is being handled to warnings and errors, whether or not the call
  names one. What is left out of a message on purpose would come back that way; so only an exception
  that the call names is written.
* A formatter that writes a record's parts instead of a line (oslo.log's for JSON and for fluentd)
  reads them past the record; behind a :class:`PartsFormatter` the same holds for each part.
* Below warnings, libraries that write rows of databases and URLs say so without their values: an
  operator's ``log_config_append`` may ask for everything.
* While a confidential provider is asked, what libraries log on that thread is replaced by a text
  that says so: urllib3, for one, writes whole URLs into its warnings.
"""

import copy
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_OURS = "firstlight"
_HELD_BACK = "left out, because it may hold what a confidential provider knows"
_OF_DATA = ("sqlalchemy.engine.", "urllib3.connectionpool.")  # loggers, and those below them
_PLAIN = (int, float, type(None))  # what formats such as %d need as it is
_OF_LINES = ("message", "traceback")  # the record has seen to the message

_thread = threading.local()


def install() -> None:
    """Make every log record of this process a :class:`CleanRecord`, and a record of each warning.

    Python would write warnings to standard error by itself, where nothing is held back.
    """
    logging.setLogRecordFactory(CleanRecord)
    logging.captureWarnings(capture=True)


@contextmanager
def confidential() -> Iterator[None]:
    """On this thread, until the block ends, nothing that libraries say reaches a log."""
    before = getattr(_thread, "confidential", False)
    _thread.confidential = True
    try:
        yield
    finally:
        _thread.confidential = before


def clean(text: str) -> str:
    """`text` with every character that is not printed escaped, line ends included."""
    return text if text.isprintable() else "".join(map(_shown, text))


def clean_lines(text: str) -> str:
    """The same, with line ends (and tabs) left as they are."""
    return "\n".join("\t".join(map(clean, line.split("\t"))) for line in text.split("\n"))


def _shown(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


class CleanRecord(logging.LogRecord):
    """A record whose message, and whose exception's text, hold no control character."""

    def __init__(self, name: str, *args: Any, **known: Any) -> None:
        super().__init__(name, *args, **known)
        self._ours = name.partition(".")[0] == _OURS
        if not self._ours and getattr(_thread, "confidential", False):
            self.msg, self.args, self.exc_info = _HELD_BACK, (), None
        elif self.levelno < logging.WARNING and f"{name}.".startswith(_OF_DATA):
            self.args = ()

    def getMessage(self) -> str:  # noqa: N802  (logging's name)
        """The message: one line, but for line ends in Firstlight's fixed texts."""
        if not self._ours:
            return clean(super().getMessage())
        if not self.args:
            return clean_lines(str(self.msg))
        if isinstance(self.args, Mapping):
            values: Any = {name: _cleaned(value) for name, value in self.args.items()}
        else:
            values = tuple(map(_cleaned, self.args))
        message: str = str(self.msg) % values
        return message

    def __setattr__(self, name: str, value: Any) -> None:
        """Formatters leave here what they make of exceptions."""
        if name == "exc_text" and value:
            value = clean_lines(value)
        elif name == "error_summary":
            value = clean(value) if self.exc_info else ""
        super().__setattr__(name, value)


class _Cleaned:
    """A value that is written without control characters."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return clean(str(self._value))

    def __repr__(self) -> str:
        return clean(repr(self._value))


def _cleaned(value: object) -> object:
    return value if isinstance(value, _PLAIN) else _Cleaned(value)


class PartsFormatter(logging.Formatter):
    """What another formatter makes of a record's parts, each as clean as a line's.

    Values stand as their text has them, so that a password that their text hides is not written;
    line ends stay in tracebacks and in Firstlight's fixed texts.

    Args:
        inner: it makes a dictionary, or a JSON object as text.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__(datefmt=inner.datefmt)
        self.inner = inner

    def format(self, record: logging.LogRecord) -> Any:
        """The parts, in the shape that the inner formatter gives them."""
        made = self.inner.format(_as_text(record))
        parts = json.loads(made) if isinstance(made, str) else made
        if not record.exc_info:
            parts["error_summary"] = ""
        clean_parts = {
            name: clean_lines(value) if value and name in _OF_LINES else _clean_part(value)
            for name, value in parts.items()
        }
        return json.dumps(clean_parts) if isinstance(made, str) else clean_parts


def _as_text(record: logging.LogRecord) -> logging.LogRecord:
    """A copy for formatters that take values apart."""
    plain = copy.copy(record)
    vars(plain)["getMessage"] = record.getMessage  # of the values as they are, for formats like %d
    plain.msg = str(record.msg)
    if isinstance(record.args, Mapping):
        plain.args = {name: _text(value) for name, value in record.args.items()}
    else:
        plain.args = tuple(map(_text, record.args or ()))
    extra = getattr(record, "extra", None)
    if isinstance(extra, Mapping):
        plain.extra = {name: _text(value) for name, value in extra.items()}
    return plain


def _text(value: object) -> Any:
    return value if isinstance(value, (*_PLAIN, str)) else str(value)


def _clean_part(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): _clean_part(each) for name, each in value.items()}
    return list(map(_clean_part, value)) if isinstance(value, list | tuple) else value
