"""The metadata agent beside Neutron's: behind haproxy, in front of a service that answers at once.

Both agents know the one guest without asking anybody: Neutron's is told by a stub of its RPC, ours
remembers. haproxy is configured as in a network's namespace, with the guest's address set for it.
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from rich.console import Console
from rich.table import Table

from bench import load
from bench.process import Server, free_port
from bench.setting import BIN, PROJECT, fill, running
from lab.environment import NoLab, lab

# The first of bench.setting's instances.
_NETWORK = "99e88329-f20d-4741-9593-25bf07847b16"
_ADDRESS = "10.0.0.2"
_DOCUMENT = "/openstack"
_BODY = "x" * 2048

_NGINX = """
daemon off; pid {directory}/nginx.pid; worker_processes 1; error_log {directory}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {directory};
  proxy_temp_path {directory}; fastcgi_temp_path {directory}; uwsgi_temp_path {directory};
  scgi_temp_path {directory}; default_type text/plain;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "{body}"; }} }}
}}
"""
_HAPROXY = """
global
    maxconn 1024
    nbthread 2
defaults
    mode http
    option http-server-close
    retries 3
    timeout http-request 30s
    timeout connect 30s
    timeout client 32s
    timeout server 32s
    timeout http-keep-alive 30s
listen listener
    bind 127.0.0.1:{port}
    server metadata {socket}
    http-request del-header X-Neutron-Router-ID
    http-request set-header X-Neutron-Network-ID {network}
    http-request set-header X-Forwarded-For {address}
"""
_AGENT = """
[DEFAULT]
state_path = {directory}
nova_metadata_port = {port}
metadata_proxy_shared_secret = bench
metadata_workers = 2
{more}
"""
_OURS = """
[relay]
resolver = store
access_log = {directory}/access.log
[store]
connection = sqlite:///{directory}/store.sqlite
"""


def run(directory: Path, args: argparse.Namespace) -> None:
    """Print requests a second, p99, CPU of the agent for each request, and its memory."""
    console = Console(width=120)
    table = Table("behind haproxy", "requests/s", "p99 ms", "agent CPU µs", "errors", "agent MB")
    with ExitStack() as stack:
        nginx = stack.enter_context(_nginx(directory))
        agents = {"firstlight agent": stack.enter_context(_ours(directory / "ours", nginx.port))}
        try:
            theirs = _theirs(directory / "theirs", nginx.port, lab())
            agents["neutron-metadata-agent"] = stack.enter_context(theirs)
        except NoLab as reason:
            console.print(f"without Neutron's agent: {reason}")
        loads: dict[str, list[load.Load]] = {name: [] for name in agents}
        for _ in range(args.rounds):
            for name, agent in agents.items():
                loads[name].append(load.run(agent, _DOCUMENT, seconds=args.seconds))
        for name, agent in agents.items():
            middle = load.middle(loads[name])
            table.add_row(
                name,
                f"{middle.per_second:.0f}",
                f"{middle.p99 * 1000:.1f}",
                f"{middle.cpu * 1e6:.0f}",
                str(sum(one.errors for one in loads[name])),
                f"{agent.rss() / 1e6:.0f}",
            )
    console.print(table)


@contextmanager
def _nginx(directory: Path) -> Iterator[Server]:
    port, config = free_port(), directory / "nginx.conf"
    config.write_text("user root;" + _NGINX.format(directory=directory, port=port, body=_BODY))
    yield from running(Server("nginx", ["nginx", "-c", config], port, directory / "nginx.out"))


@contextmanager
def _ours(directory: Path, upstream: int) -> Iterator[Server]:
    directory.mkdir()
    fill(directory, 1)
    config = _configure(directory, upstream, _OURS.format(directory=directory))
    with _behind_haproxy(
        directory, [BIN / "firstlight", "agent", "--config-file", config]
    ) as agent:
        yield agent


@contextmanager
def _theirs(directory: Path, upstream: int, environment: Path) -> Iterator[Server]:
    directory.mkdir()
    [instance] = fill(directory, 1)
    config = _configure(directory, upstream, "")
    command = [environment / "bin" / "python", "-P", Path(__file__).with_name("neutron_agent.py")]
    env = {
        "PATH": f"{environment / 'bin'}:{os.defpath}",
        "INSTANCE": instance,
        "PROJECT": PROJECT,
    }
    with _behind_haproxy(directory, [*command, "--config-file", config], env) as agent:
        yield agent


def _configure(directory: Path, upstream: int, more: str) -> Path:
    config = directory / "agent.conf"
    config.write_text(_AGENT.format(directory=directory, port=upstream, more=more))
    return config


@contextmanager
def _behind_haproxy(
    directory: Path, command: Sequence[str | Path], env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """The agent; its port is the haproxy's in front of it."""
    port, config = free_port(), directory / "haproxy.cfg"
    config.write_text(
        _HAPROXY.format(
            port=port,
            socket=directory / "metadata_proxy",
            network=_NETWORK,
            address=_ADDRESS,
        )
    )
    with ExitStack() as stack:
        haproxy = Server("haproxy", ["haproxy", "-f", config], port, directory / "haproxy.out")
        stack.callback(haproxy.stop)
        agent = Server("agent", command, port, directory / "agent.out", env=env)
        stack.callback(agent.stop)
        _await_answer(port, directory / "agent.out")
        yield agent


def _await_answer(port: int, log: Path) -> None:
    for _ in range(600):
        try:
            with urlopen(f"http://127.0.0.1:{port}{_DOCUMENT}", timeout=5) as answer:
                if answer.read() == _BODY.encode():
                    return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the agent does not answer:\n{log.read_text()}")
