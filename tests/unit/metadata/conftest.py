"""A service whose source, clock, date and targets are a test's to move."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firstlight.sources.store import Store
from support.servers.metadata_service import A, B, Bench, server


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench with the servers a and b in its store."""
    store = Store.open(f"sqlite:///{tmp_path}/store.sqlite")
    store.add_all([server(A, "a"), server(B, "b", "192.0.2.11")])
    bench = Bench(store)
    yield bench
    bench.close()
    store.close()
