"""Two services full of marked instances: one behind agents, one that knows guests by address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import processes
from conformance.asking import ask
from conformance.processes import Service
from firstlight.sources.store import Store
from fuzz import canaries

_SIGNED = f"""\
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {canaries.SECRET}
"""


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that both services read."""
    path = tmp_path_factory.mktemp("store") / "store.sqlite"
    store = Store.open(f"sqlite:///{path}")
    store.add_all([canaries.instance(name) for name in canaries.NAMES])
    store.close()
    return path


def _running(home: Path, store: Path, text: str) -> Iterator[Service]:
    conf = home / "fuzz.conf"
    conf.write_text(text)
    with processes.running("firstlight", home, store, [conf]) as service:
        yield service


@pytest.fixture(scope="session")
def signed_service(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Service]:
    """Believes signed headers."""
    yield from _running(tmp_path_factory.mktemp("signed"), store, _SIGNED)


@pytest.fixture(scope="session")
def address_service(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Service]:
    """Believes nothing but the address."""
    yield from _running(tmp_path_factory.mktemp("address"), store, "")


@pytest.fixture(autouse=True)
def healthy_afterwards(signed_service: Service, address_service: Service) -> Iterator[None]:
    """Whatever was sent: the services live, are ready, answer, and have logged no crash."""
    yield
    for service in (signed_service, address_service):
        assert ask(service.port, "GET", "/").status == 200
        assert ask(service.status_port, "GET", "/readyz").status == 200
        assert "Traceback" not in service.log.read_text(errors="replace")
