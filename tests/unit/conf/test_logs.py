"""The options of oslo.log: each works, or the start ends with one line."""

import json
import logging
import os
import socket
import struct
import sys

import pytest
from sqlalchemy import make_url

from firstlight.cli import main
from firstlight.conf import ConfigError, load, logs

# As Nova and Neutron ship theirs: nothing for a logger that they do not know.
OTHERS_LOGGING_CONF = """\
[loggers]
keys = root, nova
[handlers]
keys = out, null
[formatters]
keys = json
[logger_root]
level = WARNING
handlers = null
[logger_nova]
level = INFO
handlers = out
qualname = nova
[handler_out]
class = FileHandler
args = ({out!r},)
formatter = json
[handler_null]
class = logging.NullHandler
args = ()
[formatter_json]
class = oslo_log.formatters.JSONFormatter
"""
OURS = OTHERS_LOGGING_CONF.replace("qualname = nova", "qualname = firstlight")


@pytest.fixture(autouse=True)
def process_log():
    """The process's log is as it was afterwards."""
    root = logging.getLogger()
    handlers, hook = list(root.handlers), sys.excepthook
    names = ["", *logging.root.manager.loggerDict]
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:], sys.excepthook = handlers, hook
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(before.get(name, logging.NOTSET))
        for handler in logging.getLogger(name).handlers:
            handler.close()
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    root.setLevel(before[""])


@pytest.fixture
def begun(tmp_path):
    """Begins the log of `firstlight metadata` with these lines in [DEFAULT]."""

    def begin(lines: str, **more) -> None:
        file = tmp_path / "nova.conf"
        file.write_text(f"[DEFAULT]\n{lines}\n[firstlight]\nsource = store\n")
        logs.begin(load("metadata", [str(file)], environ={}), "metadata", **more)

    return begin


LOG = logging.getLogger("firstlight.test")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("log_dir = {here}/none", "log_dir in {here}/nova.conf: {here}/none/firstlight-meta"),
        ("log_file = {here}/none/x.log", "log_file in {here}/nova.conf: {here}/none/x.log"),
        ("log_config_append = {here}/none.conf", "log_config_append in {here}/nova.conf"),
        ("log_config_append = {here}/nova.conf", "log_config_append in {here}/nova.conf"),
        ("use_syslog = true\nsyslog_log_facility = zork", "facility"),
        ("default_log_levels = firstlight=LOUD", "LOUD"),
        ("logging_default_format_string = %(zork)s", "'zork'"),
        ("logging_exception_prefix = %(zork)s", "'zork'"),
        ("logging_default_format_string = %(levelname)d", "format"),
    ],
)
def test_what_cannot_work_is_one_line(tmp_path, capfd, lines, said):
    """The start ends with the option, the file and what to set, and never with a traceback."""
    file = tmp_path / "nova.conf"
    file.write_text(
        "[DEFAULT]\n" + lines.format(here=tmp_path) + "\n[firstlight]\nsource = store\n"
    )
    assert main(["metadata", "--config-file", str(file)]) == 1
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("firstlight metadata: [DEFAULT] ")
    assert said.format(here=tmp_path) in line


def test_a_file_that_this_user_may_not_write(tmp_path, begun):
    """The reason is said; and for how to go on, the options."""
    (tmp_path / "x.log").mkdir()
    with pytest.raises(
        ConfigError, match=r"x\.log cannot be written \(Is a directory\); .*set log"
    ):
        begun(f"log_file = {tmp_path}/x.log")


def test_services_do_not_share_a_file(tmp_path, begun):
    """In log_dir each has a file named after it: they are different users."""
    begun(f"log_dir = {tmp_path}")
    LOG.warning("here")
    assert "WARNING firstlight.test [-] here" in (tmp_path / "firstlight-metadata.log").read_text()


def fields_of(datagram: bytes) -> dict[str, str]:
    """What a datagram for the journal says."""
    fields = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + length], datagram[9 + length :]
        fields[name.decode()] = value.decode()
    return fields


@pytest.fixture
def journal(tmp_path):
    """A socket where the journal's would be."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "journal"))
        listening.settimeout(5)
        yield listening


def test_journal(begun, journal, capfd):
    """Records get there with their level, without a library, and are not printed as well."""
    begun("use_journal = true", journal=journal.getsockname())
    LOG.warning("one\ntwo")
    fields = fields_of(journal.recv(65536))
    assert "WARNING firstlight.test [-] one\n" in fields["MESSAGE"]
    assert fields["PRIORITY"] == "4"
    assert fields["SYSLOG_IDENTIFIER"] == "firstlight-metadata"
    assert fields["LOGGER_NAME"] == "firstlight.test"
    assert capfd.readouterr() == ("", "")


def test_journal_takes_long_records(begun, journal):
    """What no datagram takes goes as a sealed file."""
    begun("use_journal = true", journal=journal.getsockname())
    LOG.error("x" * 4_000_000)
    data, [descriptor], *_ = socket.recv_fds(journal, 10, 1)
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        assert data == b""
        assert fields_of(file.read())["MESSAGE"].endswith("x" * 4_000_000)


def test_no_journal(begun, tmp_path, capfd):
    """In a container there is none: the log goes where it would go without, and says so."""
    begun("use_journal = true", journal=f"{tmp_path}/none")
    assert "use_journal is set" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("text", "lost"), [(OTHERS_LOGGING_CONF, "no handler"), (OURS, None)], ids=["others", "ours"]
)
def test_a_file_that_silences(tmp_path, begun, capfd, text, lost):
    """One made for another service is said on standard error; one with our logger is quiet."""
    file = tmp_path / "logging.conf"
    file.write_text(text.format(out=f"{tmp_path}/out.log"))
    begun(f"log_config_append = {file}")
    said = capfd.readouterr().err
    if lost:
        assert said.startswith(f"firstlight metadata: [DEFAULT] log_config_append in {tmp_path}")
        assert "the log is lost" in said
        assert "qualname = firstlight" in said
    else:
        LOG.warning("kept")
        assert said == ""
        assert json.loads((tmp_path / "out.log").read_text())["message"] == "kept"
        assert logs.is_json()


def test_a_level_that_silences(begun, capfd):
    """So is a level above every error."""
    begun("default_log_levels = firstlight=CRITICAL")
    assert "the level of the logger firstlight is CRITICAL" in capfd.readouterr().err


def test_json(begun, capfd):
    """Every record is an object; no argument shows what its text hides, nor ends the line."""
    begun("use_json = true")
    LOG.info("%s, %d and %s", make_url("mysql://nova:hidden@db/nova"), 3, b"\xff")
    LOG.info("%(a)s", {"a": b"\xff"})
    try:
        int("wrong")
    except ValueError:
        LOG.exception("it failed")
    first, second, third = map(json.loads, capfd.readouterr().out.splitlines())
    assert first["message"] == "mysql://nova:***@db/nova, 3 and b'\\xff'"
    assert "hidden" not in str(first)
    assert second["message"] == "b'\\xff'"
    assert "ValueError: invalid" in third["traceback"]
    assert logs.is_json()


def test_json_for_another_logger(tmp_path, begun):
    """What is left out of a line is left out of a library's file, too."""
    text = OTHERS_LOGGING_CONF.replace("qualname = nova", "qualname = urllib3")
    file = tmp_path / "logging.conf"
    file.write_text(text.format(out=f"{tmp_path}/out.log"))
    begun(f"log_config_append = {file}")
    try:
        (tmp_path / "canary").stat()
    except OSError:
        logging.getLogger("urllib3").warning("turned\u202eround, %s", make_url("a://b:canary@c/"))
    said = (tmp_path / "out.log").read_text()
    assert "a://b:***@c/" in json.loads(said)["message"]
    assert "canary" not in said
    assert json.loads(said)["msg"] == r"turned\u202eround, %s"


def test_text_is_not_json(begun):
    """Usually."""
    begun("")
    assert not logs.is_json()
