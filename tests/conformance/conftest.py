"""Deployments of the service that conversations are held with, started when first asked for."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from conformance import processes, targets
from conformance.conversations import HERE, read_yaml
from conformance.processes import Service
from conformance.targets import Targets
from firstlight.instance import Instance
from firstlight.sources.store.documents.document import StoredDocument

GetService = Callable[[str, str], Service]


@pytest.fixture(scope="session")
def vendordata_targets() -> Iterator[Targets]:
    """Targets for DynamicJSON."""
    with targets.running() as running:
        yield running


@pytest.fixture(scope="session")
def closed_port() -> Iterator[int]:
    """A port that is taken, so nobody else gets it, and refuses connections."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield unheard.getsockname()[1]


@pytest.fixture(scope="session")
def instances() -> dict[str, Instance]:
    """The instances of instances.yaml, by the name they are called in conversations."""
    documents = read_yaml("instances.yaml")
    return {
        name: msgspec.convert(one, StoredDocument).instance() for name, one in documents.items()
    }


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with these instances, added by the command that people use."""
    home = tmp_path_factory.mktemp("store")
    listed = home / "instances.json"
    listed.write_bytes(msgspec.json.encode(list(read_yaml("instances.yaml").values())))
    processes.instance_command(home / "store.sqlite", home, "add", str(listed))
    return home


@pytest.fixture(scope="session")
def service(
    tmp_path_factory: pytest.TempPathFactory,
    filled_store: Path,
    vendordata_targets: Targets,
    closed_port: int,
) -> Iterator[GetService]:
    """Gives the service of a deployment under a server, each with a store of its own."""
    deployments = read_yaml("deployments.yaml")
    words = {"targets": vendordata_targets.url, "closed": str(closed_port), "here": str(HERE)}
    started: dict[tuple[str, str], Service] = {}
    with ExitStack() as stack:

        def get(server: str, deployment: str) -> Service:
            key = (server, deployment)
            if key not in started:
                home = tmp_path_factory.mktemp(f"{server}-{deployment}")
                for file in filled_store.glob("store.sqlite*"):
                    shutil.copy(file, home)
                conf = home / "deployment.conf"
                conf.write_text(deployments[deployment].format(**words))
                started[key] = stack.enter_context(
                    processes.running(server, home, home / "store.sqlite", [conf])
                )
            return started[key]

        yield get
