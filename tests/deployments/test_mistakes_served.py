"""The metadata service from files with mistakes: it serves what is right, or says why not."""

import random
from pathlib import Path

import pytest

from deployments.conftest import CELL_URL, SERVERS, map_cells
from deployments.deployment import Service, load
from deployments.machine import PATIENCE, Machine, Started, ours
from deployments.mutating import KINDS, Mistake, Mistaken
from lab.asking import Reply, signed
from support.servers.databases import Server, eventually

TIMES = 20
_START = "nova-api-metadata --config-file=/etc/nova/nova.conf"
_PORT = 8775
# Of these tools the file is short, so that most mistakes are in what the service reads.
_NAMES = ("ubuntu", "debian")


def a_mistake(number: int) -> Mistaken:
    """The same for the same number."""
    chosen = random.Random(number)
    mistakes = (Mistake(KINDS[number % 4], chosen.randrange(10_000), chosen.randrange(10_000)),)
    return Mistaken(load(_NAMES[number % len(_NAMES)]), "metadata", mistakes)


@pytest.fixture
def started(furnished: Machine, databases: Server, home: Path):
    """Starts ours from files with mistakes; ended with the test."""
    services = []

    def start(files: Mistaken, number: int) -> Started:
        map_cells(databases, CELL_URL)
        furnished.put(files.deployment, ours(), ours().environment)
        for file, text in files.texts().items():
            furnished.add(f"/etc/nova/{file.name}", text)
        service = Started(furnished, home / f"mistake-{number}.log")
        services.append(service)
        service.start(Service(start=_START, user="nova"), ours())
        return service

    yield start
    for service in services:
        service.stop()


@pytest.mark.parametrize("number", range(TIMES))
def test_it_serves_or_says_why_not(number: int, furnished: Machine, started) -> None:
    """No traceback, and no server that Nova knows is told that it does not exist."""
    files = a_mistake(number)
    service = started(files, number)
    replies: list[Reply] = []
    # It listens before it has looked at everything, so the first connection may be closed.
    assert eventually(lambda: service.ended or answered(furnished, replies), PATIENCE)
    if service.ended:
        assert "firstlight metadata: " in service.output, files
    else:
        reply = replies[-1]
        assert reply.status in (200, 403, 503), (files, reply)
        assert reply.status != 403 or "secret" in changed(files), (files, reply)
        assert reply.status != 503 or "connection" in changed(files), (files, reply)
    written = service.output + service.log("/var/log/nova")
    assert "Traceback" not in written, written[-4000:]


def answered(machine: Machine, replies: list[Reply]) -> bool:
    """Whether a server's request was answered; the answer is put among `replies`."""
    kind = SERVERS[0].instance
    headers = signed(kind["uuid"], kind["project_id"], "s3", None)
    try:
        reply = machine.ask(f"*:{_PORT}", "/latest/meta-data/local-hostname", headers)
    except OSError:
        return False
    replies.append(reply)
    return reply.status is not None


def changed(files: Mistaken) -> str:
    """The lines that the mistakes are in, and the sections that they may have joined."""
    before = [
        line
        for file in files.deployment.files_of("metadata")
        for line in file.read_text().splitlines()
    ]
    after = [line for text in files.texts().values() for line in text.splitlines()]
    gone = [line for line in before if line not in after]
    return "connection secret" if any(line.startswith("[") for line in gone) else "\n".join(gone)
