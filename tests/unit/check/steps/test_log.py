"""The steps "log" and "addresses": what would stop a start, or silence it, is found beforehand."""

import json
import os
import socket

import pytest

from firstlight.cli import main


@pytest.fixture
def check(tmp_path, capsys):
    """Checks a service before its start with these lines in [DEFAULT]; a step's findings."""

    def run(service: str, step: str, lines: str, more: str = "") -> list[dict]:
        file = tmp_path / "one.conf"
        own = "[firstlight]\nsource = store\n" if service == "metadata" else ""
        file.write_text(f"[DEFAULT]\nstate_path = {tmp_path}\n{lines}\n{own}{more}\n")
        main(["check", service, "--before-start", "--json", "--config-file", str(file)])
        steps = json.loads(capsys.readouterr().out)["steps"]
        [found] = [each for each in steps if each["name"] == step]
        return found["findings"]

    return run


@pytest.mark.parametrize("service", ["metadata", "vendordata", "agent", "proxy"])
@pytest.mark.parametrize(
    "expected",
    [
        ("", "ok", "standard output"),
        ("log_dir = {here}", "ok", "{here}/firstlight-{service}.log"),
        ("log_dir = {here}/none", "broken", "there is no directory {here}/none"),
        ("log_file = {here}/none/x.log", "broken", "{here}/none/x.log cannot be written"),
        ("log_config_append = {here}/none.conf", "broken", "cannot be read"),
        ("log_config_append = {here}/one.conf", "broken", "is no logging configuration"),
        ("log_config_append = {here}/others.conf", "warning", "keeps nothing"),
        ("log_config_append = {here}/ours.conf", "ok", ""),
    ],
)
def test_log(tmp_path, check, service, expected):
    """Broken where the service would not start, a warning where it would be silent."""
    lines, verdict, said = expected
    others = (
        "[loggers]\nkeys = root, nova\n[logger_root]\nhandlers = null\n"
        "[logger_nova]\nqualname = nova\nhandlers = out\n[handlers]\nkeys = null, out\n"
        "[handler_null]\nclass = logging.NullHandler\n[handler_out]\nclass = StreamHandler\n"
    )
    (tmp_path / "others.conf").write_text(others)
    (tmp_path / "ours.conf").write_text(
        others.replace("= nova", "= firstlight", 1)
        .replace("keys = root, firstlight", "keys = root, nova")
        .replace("qualname = nova", "qualname = firstlight")
    )
    [found] = check(service, "log", lines.format(here=tmp_path))
    assert found["verdict"] == verdict
    assert said.format(here=tmp_path, service=service) in found["said"]


def test_access_log(tmp_path, check):
    """It stops the start as well."""
    [found] = check("metadata", "log", "", f"access_log = {tmp_path}/none/access.log")
    assert (found["verdict"], "access log" in found["said"]) == ("broken", True)
    [found] = check("agent", "log", "", f"[relay]\naccess_log = {tmp_path}/none/access.log")
    assert (found["verdict"], "access log" in found["said"]) == ("broken", True)


def test_addresses(check):
    """Who has them is named; a port of guests' own stops the start, the status port does not."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        guests, status = check(
            "metadata", "addresses", f"metadata_listen_port = {port}", f"status_port = {port}"
        )
    assert f"(process {os.getpid()}) listens on port {port}: the service does not" in guests["said"]
    assert "starts without it" in status["said"]
    assert guests["verdict"] == status["verdict"] == "warning"


def test_sockets(tmp_path, check):
    """As for ports; one that is left over is free."""
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "metadata_proxy"))
        listening.bind(str(tmp_path / "firstlight_status"))
        listening.listen()
        proxies, status = check("agent", "addresses", "")
    assert proxies["verdict"] == "ok"
    assert (status["verdict"], str(os.getpid()) in status["said"]) == ("warning", True)
