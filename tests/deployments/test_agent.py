"""The metadata agent from each tool's files: real Neutron's, and ours, on a real RabbitMQ."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployments.conftest import ANYWHERE
from deployments.deployment import NAMES, Deployment, load
from deployments.machine import PATIENCE, VIRTUAL, Machine, Side, Started, as_user, nova, ours
from lab.environment import needed
from lab.serving import Asked, Reply, serving
from support.relay.agent_process import get
from support.servers.daemons import a_rabbitmq
from support.servers.databases import eventually

NETWORK = "11111111-2222-4333-8444-555555555555"
ADDRESS, STRANGER = "192.0.2.5", "192.0.2.99"
PORT = {
    "id": "22222222-2222-4333-8444-555555555555",
    "device_id": "33333333-2222-4333-8444-555555555555",
    "device_owner": "compute:nova",
    "project_id": "0123456789abcdef0123456789abcdef",
    "tenant_id": "0123456789abcdef0123456789abcdef",
    "network_id": NETWORK,
    "mac_address": "fa:16:3e:00:00:01",
    "ip_address": ADDRESS,
    "fixed_ips": [{"subnet_id": NETWORK, "ip_address": ADDRESS}],
}
# What the metadata service is told; the rest is about connections, or may differ from Neutron's.
_TOLD = ("X-Instance-Id", "X-Tenant-Id", "X-Instance-Id-Signature", "X-Forwarded-For")


@dataclass
class Upstream:
    """What came to the metadata service."""

    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        """The same to everybody."""
        self.asked.append(asked)
        return Reply(200, b"2012-08-10\nlatest", "text/plain")


@dataclass(frozen=True)
class Seen:
    """What one side did."""

    replies: dict[str, tuple[int, bytes]]
    told: list[tuple[str, dict[str, str]]]
    listened: set[str]
    log: str
    output: str


@pytest.fixture(scope="module")
def upstream(machine: Machine) -> Iterator[Upstream]:
    """The metadata service that all files name, and the bus."""
    made = Upstream()
    with (
        serving(made.answer) as url,
        a_rabbitmq("default_user = openstack\ndefault_pass = buspw\n") as bus,
    ):
        machine.host.reach(int(url.rpartition(":")[2]), (VIRTUAL, 8775))
        machine.host.reach(bus.port, (ANYWHERE, 5672))
        yield made


@pytest.fixture(scope="module")
def see(machine: Machine, upstream: Upstream, home: Path):
    """Runs a deployment's agent from one side, and says what was seen."""

    def look(deployment: Deployment, side: Side) -> Seen:
        machine.put(deployment, side, side.environment)
        before = len(upstream.asked)
        log = home / f"{deployment.name}-{side.environment.name}.agent.log"
        with ExitStack() as stack:
            stack.enter_context(neutron_server(machine, deployment, log.with_suffix(".bus.log")))
            agent = stack.enter_context(serving_agent(machine, deployment, side, log))
            replies, log_text = question(machine, deployment, agent)
            told = [(each.path, chosen(each)) for each in upstream.asked[before:]]
            return Seen(replies, told, machine.listening(), log_text, agent.output)

    return look


def chosen(asked: Asked) -> dict[str, str]:
    told = {name.title(): value for name, value in asked.headers.items()}
    return {name: told.get(name, "") for name in _TOLD}


@contextmanager
def neutron_server(machine: Machine, deployment: Deployment, log: Path) -> Iterator[None]:
    """Neutron's side of the bus, as the agent's files have it."""
    assert deployment.agent is not None
    python = needed() / "bin" / "python"
    files = _arguments(machine, deployment)
    process = machine.host.start(
        *as_user(deployment.agent.user),
        *(python, Path(__file__).with_name("inside_bus.py"), *files),
        log=log,
        environ={"PATH": os.defpath, "PORT": json.dumps(PORT), "LC_ALL": "C.UTF-8"},
    )
    try:
        up = eventually(lambda: "serving" in log.read_text() or process.poll() is not None, 60)
        assert up and process.poll() is None, log.read_text()[-3000:]
        yield
    finally:
        machine.host.kill(process)


def _arguments(machine: Machine, deployment: Deployment) -> list[str]:
    """Of the agent; where kolla_start has not copied its files yet, they are read from there."""
    assert deployment.agent is not None
    if not deployment.agent.kolla:
        return deployment.agent.start.split()[1:]
    files = machine.host.file("/var/lib/kolla/config_files")
    command: str = json.loads((files / deployment.agent.kolla).read_text())["command"]
    return command.replace("/etc/neutron/", "/var/lib/kolla/config_files/").split()[1:]


@contextmanager
def serving_agent(
    machine: Machine, deployment: Deployment, side: Side, log: Path
) -> Iterator[Started]:
    """The agent, from the moment its socket takes connections, until the end of the block."""
    assert deployment.agent is not None
    socket = machine.host.file(deployment.agent.socket)
    agent = Started(machine, log)
    agent.start(deployment.agent, side)
    try:
        eventually(lambda: agent.ended or answers(socket), PATIENCE)
        if agent.ended or not answers(socket):
            pytest.fail(f"there is no agent on {socket}:\n{agent.output[-6000:]}")
        yield agent
    finally:
        agent.stop()


def answers(socket: Path) -> bool:
    """Whether anybody speaks HTTP there."""
    try:
        ask(socket, STRANGER)
    except OSError:
        return False
    return True


def ask(socket: Path, address: str) -> tuple[int, bytes]:
    """As the haproxy of a network does."""
    status, body = get(socket, "/openstack", X_Neutron_Network_ID=NETWORK, X_Forwarded_For=address)
    return status, body


def question(
    machine: Machine, deployment: Deployment, agent: Started
) -> tuple[dict[str, tuple[int, bytes]], str]:
    """A guest and a stranger ask; the latter's address is in the log."""
    assert deployment.agent is not None
    socket, place = machine.host.file(deployment.agent.socket), deployment.agent.log
    assert eventually(lambda: ask(socket, ADDRESS)[0] == 200, 60), agent.output[-6000:]
    replies = {"guest": ask(socket, ADDRESS), "stranger": ask(socket, STRANGER)}
    eventually(lambda: STRANGER in agent.log(place), 5)
    return replies, agent.log(place)


@pytest.mark.parametrize("name", [name for name in NAMES if load(name).agent])
def test_ours_does_what_neutrons_does(name: str, see) -> None:
    """Starts, listens there, signs and answers the same, and says of a stranger in its log."""
    deployment = load(name)
    theirs, mine = see(deployment, nova(needed())), see(deployment, ours())
    assert theirs.replies["guest"][0] == 200
    assert mine.replies["guest"] == theirs.replies["guest"]
    # The status is for programs; the sentence below it is not Neutron's.
    assert mine.replies["stranger"][0] == theirs.replies["stranger"][0] == 404
    assert mine.told[-1] == theirs.told[-1]
    assert mine.listened == theirs.listened
    assert STRANGER in theirs.log
    if deployment.silenced:
        assert "log_config_append" in mine.output
    else:
        assert STRANGER in mine.log
