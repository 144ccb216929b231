"""HTTP as the guests' programs speak it: a new connection for each question."""

import socket
from contextlib import closing
from http.client import HTTPConnection
from typing import NamedTuple

from guests.net import METADATA


class Reply(NamedTuple):
    """An answer, its headers by their lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(method: str, path: str, body: bytes | None = None) -> Reply:
    """Ask METADATA."""
    with closing(HTTPConnection(METADATA, 80, timeout=20)) as connection:
        connection.request(method, path, body)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, answer.read())


def is_open(host: str, port: int) -> bool:
    """Whether something takes connections there."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True
