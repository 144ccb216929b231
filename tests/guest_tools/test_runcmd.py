"""The example for cloud-init: valid for the real one, and run in a copy of this machine."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from guest_tools.pythons import ROOT
from guests.booting import CloudInit, cloud_init
from support.parts import absent, need

EXAMPLE = ROOT / "guest/cloud-init/runcmd.yaml"
_VALIDATE = """
import sys, yaml
from cloudinit.config.schema import get_schema, validate_cloudconfig_schema
config = yaml.safe_load(open(sys.argv[1]))
validate_cloudconfig_schema(config, get_schema(), strict=True)
from cloudinit.util import shellify
sys.stdout.write(shellify(config["runcmd"]))
"""


@pytest.fixture(scope="module")
def debian() -> CloudInit:
    """bookworm's cloud-init, unpacked."""
    return cloud_init("bookworm")


def script(debian: CloudInit, config: Path) -> str:
    """What cloud-init makes of runcmd, after it found it valid."""
    tree = debian.tree / "usr/lib/python3/dist-packages"
    command = [sys.executable, "-W", "ignore", "-c", _VALIDATE, config]
    environ = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def served(directory: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(directory))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def copy_of_this_machine(home: Path) -> Iterator[Path]:
    """A root in which everything is here, and what is written is written elsewhere."""
    if os.geteuid() != 0:
        absent("mounts and chroot need root")
    layers, merged = home / "layers", home / "merged"
    layers.mkdir()
    memory = ["mount", "-t", "tmpfs", "tmpfs", layers]
    if subprocess.run(memory, capture_output=True).returncode != 0:
        absent("this machine does not allow mounts")
    upper, work = layers / "upper", layers / "work"
    for directory in (upper, work, merged):
        directory.mkdir()
    options = f"lowerdir=/,upperdir={upper},workdir={work}"
    done = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", merged])
    try:
        if done.returncode != 0:
            absent("this machine does not allow overlays")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", merged / "run"], check=True)
        subprocess.run(["mount", "-t", "devtmpfs", "devtmpfs", merged / "dev"], check=True)
        yield merged
    finally:
        for place in (merged / "dev", merged / "run", merged, layers):
            subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


def run(debian: CloudInit, zipapp: Path, home: Path, digest: str) -> tuple[int, list[str]]:
    """Run the example in a copy; its exit code, and what systemctl was told."""
    need("curl")
    with served(zipapp.parent) as url, copy_of_this_machine(home) as root:
        text = EXAMPLE.read_text().replace("http://deploy.example", url)
        (home / "config.yaml").write_text(text.replace("SHA256SUM", digest))
        (root / "runcmd").write_text(script(debian, home / "config.yaml"))
        systemctl = root / "usr/bin/systemctl"
        systemctl.unlink(missing_ok=True)
        systemctl.write_text('#!/bin/sh\necho "$@" >>/systemctl\n')
        systemctl.chmod(0o755)
        done = subprocess.run(["chroot", root, "/bin/sh", "/runcmd"], capture_output=True)
        calls = root / "systemctl"
        wants = root / "etc/systemd/system/multi-user.target.wants/firstlight-sriov.service"
        assert wants.is_symlink() == calls.exists()
        return done.returncode, calls.read_text().splitlines() if calls.exists() else []


def test_runs(debian: CloudInit, zipapp: Path, tmp_path: Path) -> None:
    """It fetches the tools, checks them, installs the unit and starts it."""
    digest = hashlib.sha256(zipapp.read_bytes()).hexdigest()
    code, calls = run(debian, zipapp, tmp_path, digest)
    assert code == 0
    assert calls == ["daemon-reload", "start --no-block firstlight-sriov.service"]
    assert not Path("/usr/bin/firstlight-guest").exists()


def test_wrong_digest(debian: CloudInit, zipapp: Path, tmp_path: Path) -> None:
    """What is not what was meant is not installed."""
    code, calls = run(debian, zipapp, tmp_path, "0" * 64)
    assert code != 0
    assert calls == []


def test_example_parses() -> None:
    """The example is one list of commands."""
    assert list(yaml.safe_load(EXAMPLE.read_text())) == ["runcmd"]
