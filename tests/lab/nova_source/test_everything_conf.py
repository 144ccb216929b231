"""A nova.conf with everything in it starts the service; what has no effect is named, once."""

import re
import subprocess
from pathlib import Path

import pytest

from conformance.processes import running
from lab.asking import Client, signed
from lab.kinds.table import KINDS
from lab.nova import SECRET
from lab.nova_databases import Databases

# Of etc/nova/nova-config-generator.conf in Nova's sources, which is not among what is installed.
NAMESPACES = (
    "nova.conf",
    "oslo.log",
    "oslo.messaging",
    "oslo.policy",
    "oslo.privsep",
    "oslo.service.periodic_task",
    "oslo.service.service",
    "oslo.db",
    "oslo.cache",
    "oslo.middleware",
    "oslo.concurrency",
    "oslo.reports",
    "keystonemiddleware.auth_token",
)
OPTION = re.compile(r"#([A-Za-z_0-9]+) = ?(.*)$")
IN_VAIN = """
[DEFAULT]
backdoor_port = 3000
metadata_workers = 2
[cors]
allowed_origin = https://horizon.example.org
[database]
max_pool_size = 1
"""


@pytest.fixture(scope="module")
def everything(nova_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every option that Nova's generator knows, uncommented; those without a default cannot be."""
    directory = tmp_path_factory.mktemp("everything")
    sample = directory / "nova.conf.sample"
    command = [nova_databases.environment / "bin" / "oslo-config-generator"]
    command += [word for name in NAMESPACES for word in ("--namespace", name)]
    subprocess.run(
        [*map(str, command), "--output-file", str(sample)],
        check=True,
        capture_output=True,
        cwd=directory,
    )
    written = directory / "nova.conf"
    written.write_text("\n".join(map(uncommented, sample.read_text().splitlines())))
    return written


def uncommented(line: str) -> str:
    option = OPTION.fullmatch(line)
    if option is None or option[2].startswith("<"):
        return line
    return line.removeprefix("#")


def served(port: int) -> tuple[int | None, bytes]:
    """The status and host name of one server, asked as an agent asks."""
    ours = KINDS["minimal"].instance
    with Client(port) as client:
        headers = signed(ours["uuid"], ours["project_id"], SECRET, None).items()
        reply = client.ask("/latest/meta-data/local-hostname", headers)
    return reply.status, reply.body


def to_standard_error(directory: Path) -> Path:
    """Nova's own file has a log file; here the log is to be read."""
    file = directory / "log.conf"
    file.write_text("[DEFAULT]\nlog_file =\n")
    return file


def test_it_starts_the_service(everything, nova_databases, tmp_path):
    """From all of it and the few options that every cloud sets; nothing in it is in vain."""
    assert sum(line[:1].isalpha() for line in everything.read_text().splitlines()) > 600
    files = [everything, nova_databases.nova_conf, to_standard_error(tmp_path)]
    with running("firstlight", tmp_path, tmp_path / "unused.sqlite", files) as service:
        assert served(service.port) == (200, b"server-1.novalocal")
        log = service.log.read_text()
    assert "instances come from Nova's databases" in log
    assert "has no effect" not in log


def test_what_has_no_effect_is_named_once(everything, nova_databases, tmp_path):
    """With its file, once for all workers; the service serves."""
    asked_for = tmp_path / "more.conf"
    asked_for.write_text(IN_VAIN)
    files = [everything, nova_databases.nova_conf, to_standard_error(tmp_path), asked_for]
    with running("firstlight", tmp_path, tmp_path / "unused.sqlite", files) as service:
        assert served(service.port) == (200, b"server-1.novalocal")
        log = service.log.read_text()
    found = re.findall(r"(\[\w+\] \w+) in (\S+) has no effect", log)
    named = ("[DEFAULT] backdoor_port", "[cors] allowed_origin", "[database] max_pool_size")
    assert sorted(found) == [(option, str(asked_for)) for option in named]
