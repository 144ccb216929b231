"""The access log: one line for each response, written by a thread of its own.

A line has these fields, separated by one space; ``-`` is nothing::

    2026-11-21T10:20:30.123Z LISTENER PEER REQUEST-ID SUBJECT "METHOD TARGET" STATUS BYTES MS "UA"

Time is UTC, when the response was handed to the kernel. SUBJECT is who was asking, as the handler
found out (an instance id). BYTES is the size of the body, MS the milliseconds from the request's
first byte. TARGET and UA (the User-Agent) are what a stranger sent: they are cut after
1024 and 256 characters (``...`` says so), and quotes, backslashes, control characters and
everything outside ASCII appear as ``\\xNN``, so that no request can forge a line or a field.
"""

import logging
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from time import time
from typing import TextIO

from firstlight.wire.messages import Observer, Request, Response

LOG = logging.getLogger(__name__)

_MAX_TARGET = 1024
_MAX_AGENT = 256
_UNSAFE = re.compile(r"[^\x20-\x7e]|[\"\\]")
_UNSAFE_WORD = re.compile(r"[^\x21-\x7e]|[\"\\]")

# time, listener, peer, id, subject, method, target, status, bytes, seconds, user agent
Entry = tuple[float, str, str, str, str, str, str, int, int, float, bytes | None]


class AccessLog:
    """Writes to `path`, or to standard error for ``-``; a context manager.

    A file that was renamed or removed (logrotate) is opened anew. The event loop only appends to
    a queue of `size` entries, which is written every `interval` seconds; when the queue is full,
    an entry is counted in `dropped` instead of waiting for the disk.
    """

    def __init__(self, path: str, *, size: int = 65536, interval: float = 0.1) -> None:
        self.dropped = 0
        self._path = path
        self._size = size
        self._interval = interval
        self._entries: deque[Entry] = deque()
        self._stop = threading.Event()
        self._file: TextIO | None = None
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)

    def __enter__(self) -> "AccessLog":
        self._reopen()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is left, and close the file."""
        self._stop.set()
        self._thread.join()
        self._write()
        if self._file is not None and self._file is not sys.stderr:
            self._file.close()

    def observer(self, listener: str) -> Observer:
        """What the server calls after each response on this listener."""
        entries = self._entries
        append = entries.append
        size = self._size

        def observe(request: Request, response: Response, seconds: float) -> None:
            if len(entries) >= size:
                self.dropped += 1
                return
            append(
                (
                    time(),
                    listener,
                    request.peer,
                    request.id,
                    request.subject,
                    request.method,
                    request.target,
                    response.status,
                    len(response.body),
                    seconds,
                    request.headers.get(b"user-agent"),
                )
            )

        return observe

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self._write()

    def _write(self) -> None:
        """Write what is queued; a disk that fails costs lines, and is reported once."""
        entries = self._entries
        batch = [entries.popleft() for _ in range(len(entries))]
        if not batch:
            return
        try:
            self._reopen()
            assert self._file is not None
            self._file.write(render(batch))
            self._file.flush()
            self._failing = False
        except (OSError, ValueError) as error:
            self.dropped += len(batch)
            if not self._failing:
                LOG.error("access log %s cannot be written: %s", self._path, error)  # noqa: TRY400
            self._failing = True

    def _reopen(self) -> None:
        if self._path == "-":
            self._file = sys.stderr
        elif self._file is None or not _same(self._path, self._file):
            if self._file is not None:
                self._file.close()
            # Line by line would be a system call each; the batch is flushed as one.
            self._file = open(self._path, "a", encoding="ascii")  # noqa: SIM115, PTH123


def render(entries: Iterable[Entry]) -> str:
    """The lines of these entries."""
    return "".join(map(_line, entries))


def _line(entry: Entry) -> str:
    when, listener, peer, request_id, subject, method, target, status, size, seconds, agent = entry
    stamp = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    quoted = "-" if agent is None else _quoted(agent.decode("latin-1"), _MAX_AGENT)
    return (
        f"{stamp}.{int(when % 1 * 1000):03d}Z {_word(listener)} {_word(peer)} {_word(request_id)}"
        f' {_word(subject)} "{_word(method)} {_quoted(target, _MAX_TARGET)}" {status} {size}'
        f' {seconds * 1000:.3f} "{quoted}"\n'
    )


def _word(text: str) -> str:
    return _UNSAFE_WORD.sub(_escape, text[:_MAX_AGENT]) or "-"


def _quoted(text: str, limit: int) -> str:
    escaped = _UNSAFE.sub(_escape, text[:limit])
    return escaped + "..." if len(text) > limit else escaped


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _same(path: str, file: TextIO) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))  # noqa: PTH116
    except FileNotFoundError:
        return False
