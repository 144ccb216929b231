"""The access log: one line for each response, written by a thread of its own.

A line has these fields, separated by one space; ``-`` is nothing::

    2026-11-21T10:20:30.123Z LISTENER PEER REQUEST-ID SUBJECT "METHOD TARGET" STATUS BYTES MS "UA"

Time is UTC, when the response was handed to the kernel. SUBJECT is who was asking, as the handler
found out (an instance id). BYTES is the size of the body, MS the milliseconds from the request's
first byte. TARGET and UA (the User-Agent) are what a stranger sent: they are cut after
1024 and 256 characters (``...`` says so), and quotes, backslashes, control characters and
everything outside ASCII appear as ``\\xNN``, so that no request can forge a line or a field.

As JSON each line is an object as oslo.log's formatter makes them (``asctime``, ``levelname``,
``name``, ``message``, which is the line above), with every field under a name of its own.
"""

import json
import logging
import os
import re
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from io import FileIO
from time import time

from firstlight.httpd.protocol.messages import Observer, Request, Response

LOG = logging.getLogger(__name__)

_STANDARD_ERROR = 2
_MAX_TARGET = 1024
_MAX_AGENT = 256
_UNSAFE = re.compile(r"[^\x20-\x7e]|[\"\\]")
_UNSAFE_WORD = re.compile(r"[^\x21-\x7e]|[\"\\]")

# time, listener, peer, id, subject, method, target, status, bytes, seconds, user agent
Entry = tuple[float, str, str, str, str, str, str, int, int, float, bytes | None]


class AccessLog:
    """Writes to `path`, or to standard error for ``-``; a context manager.

    A file that was renamed or removed (logrotate) is opened anew. The event loop only appends to
    a queue of `size` entries, which is written `interval` seconds after the first of them; when
    the queue is full, an entry is counted in `dropped` instead of waiting for the disk.

    While a batch is rendered (2 µs a line) the event loop waits for the interpreter: a longer
    interval would make longer pauses, a shorter one more of them, and each costs two switches of
    threads.
    """

    def __init__(
        self, path: str, *, size: int = 65536, interval: float = 0.025, json: bool = False
    ) -> None:
        self.dropped = 0
        self._render = render_json if json else render
        self._path = path
        self._size = size
        self._interval = interval
        self._entries: deque[Entry] = deque()
        self._begun = threading.Event()  # there is something to write
        self._stop = threading.Event()
        self._file: FileIO | None = None
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)

    def open(self) -> None:
        """Open the file now.

        Raises:
            OSError: it cannot be written.
        """
        self._reopen()

    def __enter__(self) -> "AccessLog":
        self.open()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is left, and close the file."""
        self._stop.set()
        self._begun.set()
        self._thread.join()
        self._write()
        if self._file is not None:
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
            agent = request.headers.get(b"user-agent")
            if agent is not None and len(agent) > _MAX_AGENT:
                agent = agent[: _MAX_AGENT + 1]  # what is over the limit is not kept waiting
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
                    agent,
                )
            )
            if len(entries) == 1:
                self._begun.set()

        return observe

    def _run(self) -> None:
        while not self._stop.is_set():
            self._begun.wait()
            self._begun.clear()
            self._stop.wait(self._interval)
            self._write()

    def _write(self) -> None:
        """Write what is queued; a disk that fails costs lines, and is reported once."""
        entries = self._entries
        batch: list[Entry] = []
        while entries:  # until it is seen empty: only the first of a batch sets `_begun`
            batch.append(entries.popleft())
        if not batch:
            return
        try:
            file = self._reopen()
            rest = self._render(batch).encode()
            while rest:
                rest = rest[file.write(rest) :]
            self._failing = False
        except OSError as error:
            self.dropped += len(batch)
            if not self._failing:
                LOG.error("access log %s cannot be written: %s", self._path, error)  # noqa: TRY400  the sentence says it all, a traceback nothing
            self._failing = True

    def _reopen(self) -> FileIO:
        """The file, opened anew if the one that is open is not at its path any more."""
        file = self._file
        if file is None and self._path == "-":
            file = FileIO(_STANDARD_ERROR, "w", closefd=False)
        elif file is None or (self._path != "-" and not _same(self._path, file)):
            # Unbuffered: a batch is one system call, and what failed is not kept.
            file = FileIO(self._path, "a")
            if self._file is not None:
                self._file.close()
        self._file = file
        return file


def render(entries: Iterable[Entry]) -> str:
    """The lines of these entries."""
    return "".join(map(_line, entries))


def render_json(entries: Iterable[Entry]) -> str:
    """The lines of these entries as JSON objects."""
    return "".join(f"{json.dumps(_object(entry))}\n" for entry in entries)


def _object(entry: Entry) -> dict[str, str | int | float]:
    when, listener, peer, request_id, subject, method, target, status, size, seconds, agent = entry
    line = _line(entry)[:-1]
    return {
        "message": line,
        "asctime": line.partition(" ")[0],
        "created": when,
        "name": "firstlight.access",
        "levelname": "INFO",
        "listener": _word(listener),
        "peer": _word(peer),
        "request_id": request_id,
        "subject": _word(subject),
        "method": method,
        "target": _quoted(target, _MAX_TARGET),
        "status": status,
        "bytes": size,
        "milliseconds": round(seconds * 1000, 3),
        "user_agent": _agent(agent),
    }


# The few hot words below are remembered, because the same clients ask many times in a row.


def _line(entry: Entry) -> str:
    when, listener, peer, request_id, subject, method, target, status, size, seconds, agent = entry
    second = int(when)
    # A request id and a method are well-formed, or there would be no request.
    return (
        f"{_stamp(second)}.{int((when - second) * 1000):03d}Z {_word(listener)} {_word(peer)}"
        f' {request_id} {_word(subject)} "{method} {_quoted(target, _MAX_TARGET)}" {status} {size}'
        f' {seconds * 1000:.3f} "{_agent(agent)}"\n'
    )


@lru_cache(maxsize=4)
def _stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)
def _word(text: str) -> str:
    return _UNSAFE_WORD.sub(_escape, text[:_MAX_AGENT]) or "-"


@lru_cache(maxsize=256)
def _agent(agent: bytes | None) -> str:
    return "-" if agent is None else _quoted(agent.decode("latin-1"), _MAX_AGENT)


def _quoted(text: str, limit: int) -> str:
    cut = text[:limit]
    # Nearly always nothing is to be escaped, and these four find that out fastest.
    if not (cut.isascii() and cut.isprintable() and '"' not in cut and "\\" not in cut):
        cut = _UNSAFE.sub(_escape, cut)
    return cut if len(text) <= limit else cut + "..."


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _same(path: str, file: FileIO) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))  # noqa: PTH116  samestat takes what os.stat gives
    except FileNotFoundError:
        return False
