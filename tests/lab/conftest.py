"""What the lab's tests share: one real Keystone for all modules that ask for `keystone`."""

from collections.abc import Iterator

import pytest

from lab.a_keystone import a_keystone
from lab.keystone import Keystone


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Who stops it starts it again; who announces services to it has one of their own."""
    yield from a_keystone(tmp_path_factory)
