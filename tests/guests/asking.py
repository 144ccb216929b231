"""HTTP as the guests' programs speak it: a new connection for each question."""

import socket
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from guests.net import METADATA


class Reply(NamedTuple):
    """An answer, its headers by their lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    method: str, path: str, body: bytes | None = None, *, host: str = METADATA, agent: str = ""
) -> Reply:
    """Ask `host` as the program `agent`, which may be none; a link-local address has its zone
    (``%eth0``), which the server is not told."""
    name = host.partition("%")[0]
    header = {"Host": f"[{name}]" if ":" in name else name}
    with closing(HTTPConnection(host, 80, timeout=20)) as connection:
        if agent:
            header["User-Agent"] = agent
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


def is_open_at(path: Path) -> bool:
    """Whether something takes connections at this unix socket."""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(5)
            asking.connect(str(path))
    except OSError:
        return False
    return True
