"""`firstlight agent` and the metadata service behind it as processes, ended by their ids."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from firstlight.sources.store import Store
from support.servers.databases import eventually, free_port

SERVICE = """\
[DEFAULT]
metadata_listen = 127.0.0.1
metadata_listen_port = {port}
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = s3cret
[firstlight]
status_port = {status}
access_log =
[store]
connection = {store}
"""
FIRSTLIGHT = Path(sys.executable).parent / "firstlight"
PATIENCE = 60  # seconds for a process to start or end on a busy machine


class OverUnix(http.client.HTTPConnection):
    """Speaks HTTP to a unix socket."""

    def __init__(self, path):
        super().__init__("169.254.169.254", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def get(path, target, **headers):
    """Status and body of one request to a unix socket."""
    connection = OverUnix(path)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", target, headers=names)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Running:
    """One command of ours that serves."""

    def __init__(self, directory, command, text, name=None):
        name = name or command
        self.config = directory / f"{name}.conf"
        self.config.write_text(text)
        self.log = directory / f"{name}.log"
        self._notify = directory / f"{name}.notify"
        self._arguments = [FIRSTLIGHT, command, "--config-file", self.config]
        self.pid = 0

    def start(self):
        """Start it, and wait until it says that it serves."""
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
            self.log.open("ab") as log,
        ):
            self._notify.unlink(missing_ok=True)
            systemd.bind(str(self._notify))
            systemd.settimeout(PATIENCE)
            self._process = subprocess.Popen(
                self._arguments,
                stdout=log,
                stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": str(self._notify)},
            )
            self.pid = self._process.pid
            while not systemd.recv(200).endswith(b"READY=1"):
                pass

    @property
    def serving(self):
        """The process below the master."""
        return serving(self.pid, self.log)

    def reload(self):
        """Have another process serve; its process id, once the one before has ended."""
        before = self.serving
        os.kill(self.pid, signal.SIGHUP)
        assert eventually(lambda: not alive(before), PATIENCE), self.log.read_text()
        return self.serving

    def stop(self):
        """End it, and wait until it has gone."""
        if not self.pid:
            return
        os.kill(self.pid, signal.SIGTERM)
        assert self._process.wait(PATIENCE) == 0
        self.pid = 0


def serving(master, log):
    """The process that serves: the last one that the log says has taken over, else the only one."""
    taken = re.findall(r"process (\d+) has taken over", log.read_text())
    below = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(taken[-1] if taken and taken[-1] in below else below[0])


def alive(pid):
    """Whether there is such a process, a dead one that nobody waits for aside."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@contextmanager
def running(directory, command, text, name=None):
    """A command of ours with this configuration until the end of the block."""
    process = Running(directory, command, text, name)
    try:
        process.start()
        yield process
    finally:
        process.stop()


class Metadata(NamedTuple):
    """A metadata service: where it listens, the store's URL, and itself."""

    port: int
    store: str
    process: Running

    def asked_by_relay(self):
        """What a relay's file says, so that it asks this service and finds guests in its store."""
        return (
            f"nova_metadata_port = {self.port}\nmetadata_proxy_shared_secret = s3cret\n"
            f"[store]\nconnection = {self.store}\n"
        )


@contextmanager
def metadata_service(directory, *servers):
    """`firstlight metadata` with these servers in its store, until the end of the block."""
    store = f"sqlite:///{directory}/store.sqlite"
    opened = Store.open(store)
    opened.prepare()
    for server in servers:
        opened.add(server)
    opened.close()
    port = free_port()
    text = SERVICE.format(port=port, status=free_port(), store=store)
    with running(directory, "metadata", text) as process:
        yield Metadata(port, store, process)
