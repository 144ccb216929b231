"""The two chains from a network to the metadata service, on the same Neutron and databases.

Theirs: a haproxy in each network, with the file that Neutron writes for it, neutron-metadata-agent,
and Nova's metadata service under uWSGI. Ours: broker, proxy with the agent in it, and metadata
service, from the same options.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.relay_cloud import Cloud
from bench.relay_networks import Town
from lab.nova import SECRET
from lab.uwsgi import HOST, Uwsgi, environment_of
from support.parts import need
from support.relay.agent_process import get, running
from support.servers.daemons import Daemon
from support.servers.databases import eventually, free_port

THREADS = 16  # of Nova's one process, as in the bench beside Nova
WORKERS = 8  # of Neutron's agent; by default it has half as many as there are processors
_PATIENCE = 120  # seconds for a process to come up on a busy machine
_MAKE_HAPROXY = Path(__file__).resolve().parent.parent / "tests/lab/relay/make_haproxy_config.py"
_NETWORK, _PID_FILE = "the-network", "/the/pid/file"

_AGENT = """\
[DEFAULT]
host = bench
state_path = {directory}
transport_url = {bus}
metadata_proxy_socket = {directory}/metadata_proxy
nova_metadata_host = 127.0.0.1
nova_metadata_port = {port}
metadata_proxy_shared_secret = {secret}
metadata_workers = {workers}
"""
_OURS = """\
[relay]
broker_socket = {directory}/broker
status_socket = {directory}/status
access_log = {directory}/access.log
netns_directory = {town}
proxy_user = root
# As Neutron's, whose haproxy limits no guest unless it is told to.
guest_rate = 0
"""
_METADATA = """\
[DEFAULT]
metadata_listen = 127.0.0.1
metadata_listen_port = {port}
[firstlight]
status_port = {status}
access_log = {directory}/access.log
"""


@dataclass
class Relay:
    """What stands between the networks and the metadata service.

    Attributes:
        processes: their ids.
        serve: told networks, has all of them served; those that are served already stay so.
    """

    name: str
    processes: list[int]
    serve: Callable[[Sequence[str]], None]


@dataclass
class Chain:
    """A relay with a metadata service behind it."""

    relay: Relay
    town: Town
    metadata: int
    cloud: Cloud

    @property
    def name(self) -> str:
        return self.relay.name

    @property
    def processes(self) -> Mapping[str, Sequence[int]]:
        """Their ids, by what they are."""
        own = {"relay": self.relay.processes, "metadata": (self.metadata,)}
        return {**own, **self.cloud.processes}


@contextmanager
def their_metadata(cloud: Cloud) -> Iterator[tuple[int, int]]:
    """Nova's service; its port and its process."""
    port = free_port()
    command = [w for w in cloud.nova.command(port, threads=THREADS) if w != "--disable-logging"]
    service = Uwsgi(
        cloud.environment,
        cloud.directory / "nova",
        command,
        f"http://{HOST}:{port}/",
        variables=cloud.nova.variables(),
    )
    try:
        service.start()
        yield port, service.pid
    finally:
        service.stop()


@contextmanager
def our_metadata(cloud: Cloud, directory: Path) -> Iterator[tuple[int, int]]:
    """Ours, from the same nova.conf; its port and its process."""
    directory.mkdir()
    port = free_port()
    novas = (cloud.directory / "nova" / "nova.conf").read_text()
    own = _METADATA.format(port=port, status=free_port(), directory=directory)
    with running(directory, "metadata", novas + own) as service:
        yield port, service.pid


@contextmanager
def their_relay(cloud: Cloud, directory: Path, town: Town, port: int) -> Iterator[Relay]:
    """Neutron's agent in front of the service at `port`, and haproxies in front of that."""
    config = _configured(cloud, directory, port)
    asked = directory / "metadata_proxy"
    program = cloud.environment / "bin" / "neutron-metadata-agent"
    agent = Daemon(
        [str(program), "--config-file", str(config)],
        0,
        directory / "agent.log",
        environ=environment_of(cloud.environment),
        answers=lambda _: asked.exists(),
    )
    template = _haproxy_file(cloud.environment, asked)
    with ExitStack() as stack:
        stack.callback(agent.stop)
        agent.start()
        relay = Relay("haproxy, neutron-metadata-agent", [agent.pid], lambda _: None)

        def serve(networks: Sequence[str]) -> None:
            for network in networks[len(relay.processes) - 1 :]:
                pid = _haproxy(directory, town, network, template)
                stack.callback(os.kill, pid, signal.SIGTERM)
                relay.processes.append(pid)

        relay.serve = serve
        yield relay


def _haproxy_file(environment: Path, agent: Path) -> str:
    """What Neutron writes for the haproxy of :data:`_NETWORK`."""
    python = environment / "bin" / "python"
    words = ("network", _NETWORK, agent, _PID_FILE)
    made = subprocess.run(
        [python, _MAKE_HAPROXY, *words], capture_output=True, text=True, check=True
    )
    return made.stdout


def _haproxy(directory: Path, town: Town, network: str, template: str) -> int:
    pid_file, config = directory / f"{network}.pid", directory / f"{network}.conf"
    config.write_text(template.replace(_NETWORK, network).replace(_PID_FILE, str(pid_file)))
    command = [need("haproxy"), "-f", str(config)]
    started = town.service(network).popen(*command, stderr=subprocess.PIPE, text=True)
    _, said = started.communicate()
    if started.returncode:
        raise SystemExit(f"haproxy in {network}:\n{said}")
    return int(pid_file.read_text())


@contextmanager
def our_relay(cloud: Cloud, directory: Path, town: Town, port: int) -> Iterator[Relay]:
    """Broker and proxy, in front of the service at `port`."""
    text = _configured(cloud, directory, port).read_text()
    text += _OURS.format(directory=directory, town=town.directory)
    with (
        running(directory, "broker", text) as broker,
        running(directory, "proxy", text) as proxy,
    ):

        def serve(networks: Sequence[str]) -> None:
            expected = f"\nfirstlight_relay_listeners {2 * len(networks)}.0\n"
            assert eventually(lambda: expected in _metrics(directory), _PATIENCE)

        yield Relay("firstlight", [broker.pid, proxy.pid], serve)


def _metrics(directory: Path) -> str:
    return get(directory / "status", "/metrics")[1].decode()


def _configured(cloud: Cloud, directory: Path, port: int) -> Path:
    """The agents' file: it is the same for both."""
    directory.mkdir()
    config = directory / "metadata_agent.ini"
    config.write_text(
        _AGENT.format(
            directory=directory,
            bus=cloud.transport_url,
            port=port,
            secret=SECRET,
            workers=WORKERS,
        )
    )
    return config
