"""Several workers look like one service from outside."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from support.servers.databases import free_port

CONFIG = """
[DEFAULT]
metadata_listen = 127.0.0.1
metadata_listen_port = {port}
metadata_workers = 3
[firstlight]
status_port = {status}
access_log =
[store]
connection = sqlite:///{directory}/store.sqlite
"""


@pytest.fixture
def service(tmp_path):
    """Three workers; yields the ports of guests and of scrapes."""
    port, status = free_port(), free_port()
    config = tmp_path / "metadata.conf"
    config.write_text(CONFIG.format(port=port, status=status, directory=tmp_path))
    command = [Path(sys.executable).parent / "firstlight", "metadata", "--config-file", config]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        environ = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(command, stderr=log, env=environ)
        assert systemd.recv(100) == b"READY=1"  # every worker serves
    try:
        yield port, status
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def get(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read().decode()


def until(check, seconds: float = 20):
    """What `check` returns once it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = check()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("it did not come true in time")


def counted(status: int) -> int:
    found = re.search(
        r'firstlight_http_requests_total\{listener="metadata",status="200"\} (\d+)',
        get(status, "/metrics"),
    )
    return int(found.group(1)) if found else 0


def test_a_scrape_tells_of_all_workers(service):
    """Whichever worker answers the scrape, the numbers are everybody's."""
    port, status = service
    for _ in range(30):
        get(port, "/")
    until(lambda: counted(status) == 30)
    assert {counted(status) for _ in range(10)} == {30}


def test_a_dead_worker_is_replaced_and_dropped(service):
    """After kill -9 of one worker all are answered, and its numbers leave the sum in peace."""
    port, status = service
    pids = until(lambda: workers(port))
    os.kill(pids[0], signal.SIGKILL)
    until(lambda: pids[0] not in workers(port))  # what it had accepted is gone with it
    for _ in range(30):
        assert get(port, "/").endswith("latest")
    until(lambda: len(workers(port)) == 3 and pids[0] not in workers(port))
    assert "firstlight_http_requests_total" in get(status, "/metrics")


def workers(port: int) -> list[int]:
    """Processes of ours that listen on `port`, without those that look after them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            status = (path.parent / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if b"metadata" in words and _listens(path.parent, port):
            found.append((int(path.parent.name), int(status[1])))
    parents = {parent for _, parent in found}
    return [pid for pid, _ in found if pid not in parents]


def _listens(process: Path, port: int) -> bool:
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    links = []
    for link in process.glob("fd/*"):
        try:
            links.append(str(link.readlink()))
        except OSError:
            continue
    return any(f"socket:[{inode}]" in links for inode in inodes)
