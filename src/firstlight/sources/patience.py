"""Psycopg connections that give up on a server which neither answers nor closes.

PostgreSQL's own statement_timeout needs a server that still runs; PyMySQL and sqlite3 have
timeouts of their own.
"""

import select
from collections.abc import Generator
from time import monotonic
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.waiting import Ready, Wait

_EVENTS = {
    Wait.R: select.POLLIN,
    Wait.W: select.POLLOUT,
    Wait.RW: select.POLLIN | select.POLLOUT,
}


def patient(seconds: float) -> type[Connection[Any]]:
    """A connection class that waits this long for each answer, then closes and raises."""

    class Patient(Connection[Any]):
        def wait(self, gen: Generator[Any, Any, Any], *_how: Any, **_named: Any) -> Any:
            """Psycopg's seam for waiting: `gen` yields what to wait for and takes what came."""
            deadline = monotonic() + seconds
            try:
                wanted = next(gen)
                while True:
                    wanted = gen.send(self._ready(wanted, deadline))
            except StopIteration as end:
                return end.value

        def _ready(self, wanted: Wait, deadline: float) -> Ready:
            poll = select.poll()
            poll.register(self.fileno(), _EVENTS[wanted])
            left = max(0.0, deadline - monotonic())
            try:
                found = poll.poll(left * 1000)
            except KeyboardInterrupt:
                self.close()
                raise
            if not found:
                self.close()  # what may still come answers a question that was given up
                raise OperationalError(f"the server did not answer within {seconds:g} seconds")
            return _came(found[0][1])

    return Patient


def _came(events: int) -> Ready:
    """An error or a hang-up is found out by reading and writing."""
    readable = events & ~select.POLLOUT
    writable = events & ~select.POLLIN
    return Ready((Ready.R if readable else 0) | (Ready.W if writable else 0))
