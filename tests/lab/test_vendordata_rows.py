"""Every row of the failure table of metadata-api §4.6, asked of real Nova 34 and of ours."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.processes import running
from lab.asking import Client, Reply, signed
from lab.environment import NoLab, lab
from lab.kinds.table import KINDS
from lab.neutron import Neutron
from lab.nova import SECRET, Nova, free_port
from lab.serving import Asked, serving
from lab.serving import Reply as Served
from support.parts import absent

OURS = KINDS["minimal"].instance
PATH = "/openstack/latest/vendor_data2.json"

# row: what the target answers, what guests see of it, whether it is an error in fatal mode
ROWS: dict[str, tuple[Served, Any, bool]] = {
    "200-object": (Served(200, b'{"a": [1]}'), {"a": [1]}, False),
    "200-list": (Served(200, b"[1]"), [1], False),
    "200-string": (Served(200, b'"x"'), "x", False),
    "200-null": (Served(200, b"null"), None, False),
    "200-as-html": (Served(200, b'{"a": 1}', "text/html"), {"a": 1}, False),
    "201": (Served(201, b"1"), 1, False),
    "202": (Served(202, b"2"), 2, False),
    "300": (Served(300, b"3"), 3, False),
    "200-empty": (Served(200, b""), {}, False),
    "204": (Served(204, b""), {}, False),
    "200-not-json": (Served(200, b"#cloud-config\n"), {}, True),
    "200-html": (Served(200, b"<html></html>", "text/html"), {}, True),
    "400": (Served(400, b'{"a": 1}'), {}, True),
    "401": (Served(401, b'{"a": 1}'), {}, True),
    "404": (Served(404, b'{"a": 1}'), {}, True),
    "500": (Served(500, b'{"a": 1}'), {}, True),
    "503": (Served(503, b'{"a": 1}'), {}, True),
}
# Rows without a target that answers: name, URL.
SILENT = {
    "refused": "http://127.0.0.1:{closed}/",
    "tls": "https://127.0.0.1:{open}/",
    "timeout": "http://127.0.0.1:{deaf}/",
    "scheme": "gopher://127.0.0.1/",
}
NO_HOST = "nourl"


class Asking:
    """The document, as both services answer it in one configuration."""

    def __init__(self, nova: Nova, urls: dict[str, str], home: Path) -> None:
        self._nova, self._urls, self._home = nova, urls, home
        self.turn = Served(404, b"")  # what the target "turns" answers

    @contextmanager
    def services(self, *names: str, fatal: bool = False) -> Iterator[tuple[int, int]]:
        """Real Nova's port and ours, both from one file with these targets."""
        options = {
            "vendordata_providers": "DynamicJSON",
            "vendordata_dynamic_targets": ",".join(f"{name}@{self._urls[name]}" for name in names),
            "vendordata_dynamic_connect_timeout": "3",
            "vendordata_dynamic_read_timeout": "2",
            "vendordata_dynamic_failure_fatal": str(fatal),
        }
        with self._nova.serving(options) as novas:
            conf = self._home / "nova" / "nova.conf"
            with running("firstlight", self._home, self._home / "none", [conf]) as ours:
                yield novas, ours.port

    def both(self, *names: str, fatal: bool = False) -> tuple[Reply, Reply]:
        """Real Nova's answer and ours."""
        with self.services(*names, fatal=fatal) as (novas, ours):
            return _ask(novas), _ask(ours)


def _ask(port: int) -> Reply:
    headers = signed(OURS["uuid"], OURS["project_id"], SECRET, None).items()
    with Client(port) as client:
        return client.ask(PATH, headers)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Targets for every row, and Nova's databases with one server."""
    try:
        environment = lab()
    except NoLab as reason:
        absent(str(reason))
    home = tmp_path_factory.mktemp("rows")
    (home / "nova").mkdir()

    made: list[Asking] = []

    def answer(asked: Asked) -> Served:
        name = asked.path.removeprefix("/row/")
        if name == "turns":
            return made[0].turn
        if name in ROWS:
            return ROWS[name][0]
        return Neutron([], []).answer(asked.path, asked.query) or Served(404, b"{}")

    with serving(answer) as url, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(64)  # takes connections, and never says a word
        places = {
            "closed": free_port(),
            "open": url.rpartition(":")[2],
            "deaf": deaf.getsockname()[1],
        }
        urls = {name: f"{url}/row/{name}" for name in (*ROWS, "turns")}
        urls |= {name: silent.format(**places) for name, silent in SILENT.items()}
        urls["no-host"] = NO_HOST
        nova = Nova(environment, home / "nova", neutron=url)
        nova.make_instances([KINDS["minimal"]])
        made.append(Asking(nova, urls, home))
        yield made[0]


def test_not_fatal_every_row(asking: Asking) -> None:
    """Values are shown, failures are {}, in both services, byte for byte."""
    theirs, mine = asking.both(*ROWS, *SILENT)
    assert mine == theirs
    shown = json.loads(mine.body)
    assert shown == {name: value for name, (_, value, _) in ROWS.items()} | {n: {} for n in SILENT}


def test_fatal_rows(asking: Asking) -> None:
    """Nova leaves the guest without an answer (a bare 500); ours says 503 and when to come back.

    Nothing to say is no failure: there the document is the same, byte for byte.
    """
    with asking.services("200-object", "turns", fatal=True) as (novas, ours):
        for name, (served, _, is_error) in ROWS.items():
            asking.turn = served
            theirs, mine = _ask(novas), _ask(ours)
            assert (theirs.status in (None, 500)) is is_error, name
            assert mine.status == (503 if is_error else 200), name
            assert is_error or mine == theirs, name
            assert not is_error or b"An unknown error has occurred." in mine.body


@pytest.mark.parametrize("name", SILENT if os.environ.get("FIRSTLIGHT_SOAK") else ["refused"])
def test_fatal_silence(asking: Asking, name: str) -> None:
    """No connection, no answer, no TLS, no such scheme: the same."""
    theirs, mine = asking.both("200-object", name, fatal=True)
    assert theirs.status in (None, 500)
    assert mine.status == 503


def test_a_url_without_a_host(asking: Asking) -> None:
    """An error in Nova even when nothing is fatal; here it costs its own key alone."""
    theirs, mine = asking.both("200-object", "no-host")
    assert theirs.status in (None, 500)
    assert json.loads(mine.body) == {"200-object": {"a": [1]}, "no-host": {}}
