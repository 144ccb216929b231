"""``Firstlight-Stale``: which of the things an answer is made of is older than it should be."""

from collections.abc import Iterable
from typing import NamedTuple

from firstlight.httpd.protocol.messages import Response


class Stale(NamedTuple):
    """What could not be asked, and how many seconds ago it said what is served."""

    name: str
    age: float


def with_staleness(response: Response, stale: Iterable[Stale]) -> Response:
    """The same response, saying so; one header for each."""
    headers = tuple(
        (b"Firstlight-Stale", f"{each.name}; age={max(0, int(each.age))}".encode())
        for each in stale
    )
    return Response(
        response.status, response.body, response.content_type, response.headers + headers
    )
