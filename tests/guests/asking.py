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


def ask(method: str, path: str, body: bytes | None = None, *, host: str = METADATA) -> Reply:
    """Ask `host`; a link-local address has its zone (``%eth0``), which the server is not told."""
    name = host.partition("%")[0]
    header = {"Host": f"[{name}]" if ":" in name else name}
    with closing(HTTPConnection(host, 80, timeout=20)) as connection:
        connection.request(method, path, body, header)
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
