"""Answers that are not what Nova's API says end in a sentence, never in a traceback."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from guest_tools.pythons import Guest

_COMMANDS = (
    ("sriov",),
    ("network", "--rest"),
    ("check",),
    ("get", "--provider", "mlnx_sriov"),
    ("get", "meta_data.json#/a/b"),
)
_ODD: tuple[Any, ...] = (
    [],
    7,
    "text",
    None,
    {"mlnx_sriov": []},
    {"mlnx_sriov": 7},
    {"mlnx_sriov": {"enable_sriov": True, "physical_guids": [1], "virtual_guids": [[2]]}},
    {"mlnx_sriov": {"ports": [7]}},
    {"dpm_nics": 7, "links": 7, "networks": [7], "a": {"b": [1]}},
    {"dpm_nics": [{}], "links": [{}], "networks": [{"link": []}]},
)


def odd_drive(home: Path, text: bytes) -> list[object]:
    latest = home / "openstack/latest"
    latest.mkdir(parents=True)
    for name in ("meta_data", "network_data", "vendor_data2"):
        (latest / f"{name}.json").write_bytes(text)
    return ["--from", "drive", "--drive", home, "--wait", "0"]


@pytest.mark.parametrize("value", _ODD, ids=str)
def test_json(guest: Guest, tmp_path: Path, value: Any) -> None:
    """JSON of another form than was asked for."""
    options = odd_drive(tmp_path, json.dumps(value).encode())
    for command in _COMMANDS:
        more = ["--url", "http://127.0.0.1:1"] if command == ("check",) else []
        done = guest.run("--root", tmp_path / "root", *command, *options, *more)
        assert "Traceback" not in done.stderr, (command, done.stderr)
        assert done.returncode in (0, 1, 3, 4, 5)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=lambda t: str(t[:5]))
def test_no_json(each_guest: Guest, tmp_path: Path, text: bytes) -> None:
    """What is no JSON is no answer."""
    (tmp_path / "root").mkdir()
    options = odd_drive(tmp_path, text)
    done = each_guest.run("--root", tmp_path / "root", "sriov", *options)
    assert done.returncode == 3
    assert "is not JSON" in done.stderr


def test_letters(each_guest: Guest, tmp_path: Path) -> None:
    """Letters that the locale does not know are printed all the same."""
    options = odd_drive(tmp_path, json.dumps({"uuid": "6a1f", "é": "ü"}).encode())
    more = ["--url", "http://127.0.0.1:1"]
    environ = os.environ | {"LC_ALL": "C", "LANG": "C"}
    done = each_guest.run("check", *options, *more, env=environ)
    assert "Traceback" not in done.stderr
    assert "vendor_data: uuid, é" in done.stdout
