"""The metadata service from each tool's files, run as the tool runs it: real Nova's, and ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from shutil import copy

import pytest

from deployments.conftest import CELL_URL, SERVERS, map_cells
from deployments.deployment import NAMES, Deployment, load
from deployments.machine import PATIENCE, Machine, Side, Started, made_by_debian, nova, ours
from lab.asking import Reply, signed
from lab.environment import needed
from lab.golden import marked
from lab.kinds.kind import Kind
from support.parts import absent, need
from support.servers.databases import Server, eventually

SECRET = "s3"
PATHS = (
    *("", "/openstack", "/latest/meta-data/hostname", "/latest/user-data"),
    *(
        f"/openstack/latest/{name}"
        for name in ("meta_data.json", "network_data.json", "vendor_data.json", "vendor_data2.json")
    ),
    "/latest/meta-data/security-groups",
)


class Seen:
    """What one side did: where it listened, what it answered, what it wrote."""

    def __init__(self, listened: set[str], replies: dict[str, Reply], log: str, output: str):
        self.listened = listened
        self.replies = replies
        self.log = log
        self.output = output


@pytest.fixture(scope="module")
def see(furnished: Machine, databases: Server, home: Path):
    """Runs a deployment's metadata service from one side, and says what was seen."""
    environments: dict[Path, Path] = {}

    def debian(side: Side) -> Path:
        if side.environment not in environments:
            environments[side.environment] = made_by_debian(furnished, side.environment)
        return environments[side.environment]

    def look(deployment: Deployment, side: Side) -> Seen:
        map_cells(databases, deployment.cell_url or CELL_URL)
        apache = bool(deployment.metadata.script)
        furnished.put(deployment, side, debian(side) if apache else side.environment)
        copy(needed() / "etc/nova/api-paste.ini", furnished.host.file("/etc/nova"))
        if apache:
            need_apache()
            module = side.application.partition(":")[0]
            furnished.add(deployment.metadata.script, f"from {module} import application\n")
        log = home / f"{deployment.name}-{side.environment.name}.log"
        with serving(furnished, deployment, side, log) as service:
            return observe(furnished, deployment, service)

    return look


def need_apache() -> None:
    """Apache's own module is for Debian's own Python."""
    need("apache2")
    if not Path("/usr/lib/apache2/modules/mod_wsgi.so").exists():
        absent("mod_wsgi is not there; on Debian: apt-get install libapache2-mod-wsgi-py3")


@contextmanager
def serving(machine: Machine, deployment: Deployment, side: Side, log: Path) -> Iterator[Started]:
    """The service, from the moment it listens, until the end of the block."""
    service = Started(machine, log)
    wanted = deployment.metadata.listens
    free = lambda: not any(map(machine.listens, wanted))  # noqa: E731  said once, used below
    assert eventually(free, PATIENCE), f"another service still listens on {wanted}"
    service.start(deployment.metadata, side)
    try:
        up = eventually(lambda: service.ended or all(map(machine.listens, wanted)), PATIENCE)
        if service.ended or not up:
            pytest.fail(f"it does not listen on {wanted}:\n{service.output[-6000:]}")
        yield service
    finally:
        service.stop()


def observe(machine: Machine, deployment: Deployment, service: Started) -> Seen:
    """Ask it everything; its last request has a wrong signature, which it logs."""
    address = deployment.metadata.listens[-1]
    replies = {}
    for kind in SERVERS:
        for path in PATHS:
            headers = signed(kind.instance["uuid"], kind.instance["project_id"], SECRET, None)
            replies[f"{kind.name} {path}"] = asked(machine, address, path or "/", headers)
    stranger = signed(_uuid(SERVERS[0]), SERVERS[0].instance["project_id"], "wrong", None)
    replies["stranger"] = asked(machine, address, PATHS[-1], stranger)
    replies["nobody"] = asked(machine, address, "/", {})
    place = deployment.metadata.log
    eventually(lambda: _uuid(SERVERS[0]) in service.log(place), 5)
    return Seen(machine.listening(), replies, service.log(place), service.output)


def asked(machine: Machine, address: str, path: str, headers: dict[str, str]) -> Reply:
    try:
        reply = machine.ask(address, path, headers)
    except (OSError, HTTPException) as error:
        return Reply(None, repr(error))
    return replace(reply, body=marked(reply.body))


def _uuid(kind: Kind) -> str:
    uuid: str = kind.instance["uuid"]
    return uuid


@pytest.mark.parametrize("name", [name for name in NAMES if load(name).metadata.listens])
def test_ours_does_what_nova_does(name: str, see) -> None:
    """Starts, listens there, answers the same bytes, and says of a wrong signature in its log."""
    deployment = load(name)
    theirs, mine = see(deployment, nova(needed())), see(deployment, ours())
    assert outside(mine.listened) == outside(theirs.listened)
    assert theirs.replies["full /openstack/latest/meta_data.json"].status == 200
    assert theirs.replies["stranger"].status == 403
    assert mine.replies == theirs.replies
    assert _uuid(SERVERS[0]) in theirs.log
    if deployment.silenced:
        assert "log_config_append" in mine.output
    else:
        assert _uuid(SERVERS[0]) in mine.log


def outside(addresses: set[str]) -> set[str]:
    """Without what is for this host alone: uWSGI's own ports, our status port."""
    return {each for each in addresses if not each.startswith(("127.", "[::1]"))}
