"""The cloud a guest asks: the services by their own commands, in the service's namespace."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hmac import digest
from itertools import count
from pathlib import Path
from string import Template

import pytest
from requests.utils import default_user_agent

from guests.asking import ask, is_open, is_open_at
from guests.net import METADATA, Namespace, Net
from support.parts import need
from support.servers.databases import end, eventually

HERE = Path(__file__).parent
WAYS = ("remote-address", "signed")
INSTANCE = "6a1f4c0e-3b52-4d8e-9c37-51e0a2b4c6d8"  # guest.yaml
PROJECT = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
_NETWORK = "da5bb487-5193-4a65-a3df-4a0055a8c0d7"  # of eth0
_RENAMED = f"http-request set-header User-Agent {default_user_agent()}"
_SECRET = "between proxy and service"
_PATIENCE = 60  # seconds for a server to come up on a busy machine
_FIRSTLIGHT = Path(sys.executable).parent / "firstlight"


@dataclass
class Process:
    """A server, which a test may stop and start again."""

    command: Sequence[str]
    log: Path
    inside: Namespace
    address: tuple[str, int] | Path
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )
        up = eventually(lambda: self._ended() or self._is_open(), _PATIENCE)
        if not up or self._ended():
            self.stop()
            pytest.fail(f"{self.command} did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        """End it, and wait until it has gone."""
        process, self._process = self._process, None
        if process is not None:
            end(process, _PATIENCE)

    def _is_open(self) -> bool:
        if isinstance(self.address, Path):
            return is_open_at(self.address)
        return self.inside.call(is_open, *self.address)

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


@dataclass
class Cloud:
    """What answers at METADATA, and what it was asked.

    Attributes:
        way: see :func:`cloud`.
        metadata: the metadata service.
        home: directory of configuration and logs.
    """

    net: Net
    way: str
    home: Path
    metadata: Process
    _read: int = 0  # lines of the access log
    _marks: Iterator[int] = field(default_factory=count)

    def asked(self) -> list[str]:
        """What has been asked since the last call, ``METHOD PATH STATUS`` each."""
        mark = f"/mark/{next(self._marks)}"
        reply = self.net.guest.call(ask, "GET", mark)
        assert reply.status == 404, reply
        log = self.home / "access.log"
        assert eventually(lambda: log.exists() and f'"GET {mark}"' in log.read_text())
        lines = log.read_text().splitlines()[self._read :]
        self._read += len(lines)
        return [line for line in map(_request, lines) if "/mark/" not in line]


def _request(line: str) -> str:
    """Of a line of the access log (httpd.monitoring.access_log), what every boot has in common."""
    _before, request, after, *_ = line.split('"')
    return f"{request} {after.split()[0]}"


@contextmanager
def cloud(net: Net, way: str, home: Path, more: str = "") -> Iterator[Cloud]:
    """A cloud with the instance of guest.yaml, until the end of the block.

    Args:
        way: how the metadata service knows who asks. "remote-address": guests reach the service
            itself, over IPv4. "signed": Debian's haproxy stands before it and signs, as Neutron's
            agent does, over IPv6 as well. "stock": it names itself, too, and not the guest's
            program, as the agent's HTTP library does. "agent": haproxy as Neutron has it in a
            network's namespace, and behind it our agent with the store. "proxy": our broker and
            proxy with the agent in it, in haproxy's place.
        more: added to the metadata service's configuration.
    """
    signed = way != "remote-address"
    listen, port = ("127.0.0.1", 8775) if signed else (METADATA, 80)
    values = {
        "home": home,
        "listen": listen,
        "port": port,
        "signed": str(signed).lower(),
        "secret": _SECRET,
        "instance": INSTANCE,
        "project": PROJECT,
        "network": _NETWORK,
        "signature": digest(_SECRET.encode(), INSTANCE.encode(), "sha256").hex(),
        "user_agent": _RENAMED if way == "stock" else "",
    }
    for source in (HERE / "files").iterdir():
        (home / source.name).write_text(Template(source.read_text()).substitute(values))
    with (home / "metadata.conf").open("a") as conf:
        conf.write(more)
    add_instance(home, HERE / "guest.yaml")
    metadata = _firstlight(net, home, "metadata", (listen, port))
    vendordata = _firstlight(net, home, "vendordata", ("127.0.0.1", 9090))
    servers = [vendordata, metadata, *_before(net, home, way)]
    with ExitStack() as stack:
        if way == "proxy":
            stack.enter_context(_named_as_by_neutron(net.service, home / "netns"))
        for server in servers:
            server.start()
            stack.callback(server.stop)
        yield Cloud(net, way, home, metadata)


def _before(net: Net, home: Path, way: str) -> list[Process]:
    """What stands between the guest and the metadata service, the nearest to the latter first."""
    match way:
        case "signed" | "stock":
            return [_haproxy(net, home, "haproxy")]
        case "agent":
            agent = _firstlight(net, home, "agent", home / "metadata_proxy", conf="relay")
            return [agent, _haproxy(net, home, "neutron_haproxy")]
        case "proxy":
            broker = _firstlight(net, home, "broker", (METADATA, 80), conf="relay")
            proxy = _firstlight(net, home, "proxy", home / "metadata_proxy", conf="relay")
            return [broker, proxy]
    return []


@contextmanager
def _named_as_by_neutron(namespace: Namespace, directory: Path) -> Iterator[None]:
    """The namespace has, there as well, the name that the DHCP agent gives a network's."""
    directory.mkdir()
    name = directory / f"qdhcp-{_NETWORK}"
    name.touch()
    subprocess.run([need("mount"), "--bind", namespace.path, name], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", name], check=False)


@contextmanager
def away(server: Process) -> Iterator[None]:
    """The server is not there in this block, and is there again after it."""
    server.stop()
    try:
        yield
    finally:
        server.start()


def add_instance(home: Path, document: Path) -> None:
    """Put an instance into the store, as an operator does."""
    conf = home / "metadata.conf"
    command = [str(_FIRSTLIGHT), "instance", "add", str(document), "--config-file", str(conf)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _haproxy(net: Net, home: Path, name: str) -> Process:
    command = net.service.command(need("haproxy"), "-db", "-f", home / f"{name}.cfg")
    return Process(command, home / f"{name}.log", net.service, (METADATA, 80))


def _firstlight(
    net: Net, home: Path, name: str, address: tuple[str, int] | Path, *, conf: str = ""
) -> Process:
    file = home / f"{conf or name}.conf"
    command = net.service.command(_FIRSTLIGHT, name, "--config-file", file)
    return Process(command, home / f"{name}.log", net.service, address)
