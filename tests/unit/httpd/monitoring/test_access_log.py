"""The access log: its format, its bounds, and that nobody forges a line."""

import json
import re

import pytest

from firstlight.httpd.monitoring.access_log import AccessLog, render
from firstlight.httpd.protocol.messages import Request, Response


def line(**changes):
    entry = {
        "when": 1_763_720_430.1239,
        "listener": "metadata",
        "peer": "192.0.2.1",
        "id": "req-1",
        "subject": "-",
        "method": "GET",
        "target": "/openstack",
        "status": 200,
        "size": 13,
        "seconds": 0.0005,
        "agent": b"curl/8",
    }
    return render([tuple({**entry, **changes}.values())])


def test_format():
    """The documented line."""
    assert line() == (
        "2025-11-21T10:20:30.123Z metadata 192.0.2.1 req-1 - "
        '"GET /openstack" 200 13 0.500 "curl/8"\n'
    )


def test_json(tmp_path):
    """Each line is an object with the documented line in it, and every field under its name."""
    path = tmp_path / "access.log"
    request = Request("GET", '/"\n', {b"user-agent": b"\xff"}, peer="192.0.2.1", id="req-1")
    with AccessLog(str(path), json=True) as log:
        log.observer("metadata")(request, Response(404, b"no"), 0.25)
    [written] = path.read_text().splitlines()
    found = json.loads(written)
    assert found["message"].startswith(f"{found['asctime']} metadata 192.0.2.1 req-1")
    assert (found["name"], found["levelname"]) == ("firstlight.access", "INFO")
    assert (found["status"], found["bytes"], found["milliseconds"]) == (404, 2, 250.0)
    assert (found["target"], found["user_agent"]) == ("/\\x22\\x0a", "\\xff")


@pytest.mark.parametrize("field", ["subject", "target", "agent", "listener"])
@pytest.mark.parametrize(
    "nasty", ['a" 200', "a\nb", "a\r\nb", "a\\b", "a\x1b[2J", "a\x7f", "äö", "\x85"]
)
def test_no_forged_lines(field, nasty):
    """Whatever a stranger sends, there is one line, in ASCII, with six quotes' worth of fields."""
    written = line(**{field: nasty.encode("latin-1") if field == "agent" else nasty})
    assert written.isascii()
    assert written[:-1].isprintable()
    assert re.fullmatch(r'\S+Z \S+ \S+ \S+ \S+ "\S+ [^"]*" \d+ \d+ [\d.]+ "[^"]*"\n', written)


def test_words_have_no_spaces():
    """A subject with a space is still one field."""
    assert " a\\x20b " in line(subject="a b")


def test_long_fields_are_cut():
    """Targets and user agents are bounded, and the cut shows."""
    written = line(target="/" + "a" * 2000, agent=b"b" * 2000)
    assert f'/{"a" * 1023}..."' in written
    assert f'"{"b" * 256}..."' in written


def test_nothing_is_a_dash():
    """No peer (unix socket), no user agent."""
    assert line(peer="", agent=None).endswith('- req-1 - "GET /openstack" 200 13 0.500 "-"\n')


def observe(log, target):
    log.observer("m")(Request("GET", target, {}, id="req-1"), Response(), 0.001)


def test_everything_is_written_at_the_end(tmp_path):
    """Leaving the context writes what was queued."""
    path = tmp_path / "log"
    with AccessLog(str(path), interval=60) as log:
        observe(log, "/a")
        observe(log, "/b")
    assert re.findall(r"GET (/\w)", path.read_text()) == ["/a", "/b"]


def test_written_soon(tmp_path):
    """A line is in the file without another request or the end."""
    path = tmp_path / "log"
    with AccessLog(str(path), interval=0.001) as log:
        observe(log, "/a")
        while not path.read_text():
            pass


def test_renamed_file(tmp_path):
    """After logrotate has renamed the file, lines go to a new one."""
    path = tmp_path / "log"
    with AccessLog(str(path), interval=0.001) as log:
        observe(log, "/a")
        while not path.read_text():
            pass
        path.rename(tmp_path / "log.1")
        observe(log, "/b")
    assert "/a" in (tmp_path / "log.1").read_text()
    assert "/b" in path.read_text()


def test_full_queue(tmp_path):
    """What does not fit is counted; nobody waits."""
    with AccessLog(str(tmp_path / "log"), size=2, interval=60) as log:
        for _ in range(5):
            observe(log, "/a")
        assert log.dropped == 3


def test_failing_disk(caplog):
    """A log that cannot be written is reported once, counted, and stops nothing."""
    with AccessLog("/dev/full", interval=60) as log:
        observe(log, "/a")
    assert log.dropped == 1
    assert "cannot be written" in caplog.text
