"""Psycopg connections that give up on a server which neither answers nor closes.

PostgreSQL's own statement_timeout needs a server that still runs; PyMySQL and sqlite3 have
timeouts of their own.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any

from psycopg import Connection, OperationalError


def patient(seconds: float) -> type[Connection[Any]]:
    """A connection class that waits this long for each answer, then closes and raises."""

    class Patient(Connection[Any]):
        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().wait(_bounded(gen, seconds), *args, **kwargs)
            except _NoAnswer:
                self.close()  # what the server may still say belongs to a question given up
                raise

    return Patient


class _NoAnswer(OperationalError):
    pass


def _bounded(answer: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
    """Psycopg's generator of socket waits, cut off after `seconds`.

    From psycopg 3.2 on the waiting loop sends something false several times a second when the
    socket is silent.
    """
    deadline = monotonic() + seconds
    try:
        wanted = next(answer)
        while True:
            ready = yield wanted
            if not ready and monotonic() > deadline:
                raise _NoAnswer(f"the server did not answer within {seconds:g} seconds")
            wanted = answer.send(ready)
    except StopIteration as end:
        return end.value
