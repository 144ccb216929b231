"""What the lab's tests share: one real Keystone for all modules that ask for `keystone`."""

from collections.abc import Iterator

import pytest

from lab.environment import NoLab, lab
from lab.keystone import Keystone
from parts import absent
from servers import free_port


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Who stops it starts it again."""
    try:
        environment = lab()
    except NoLab as error:
        absent(str(error))
    real = Keystone(environment, tmp_path_factory.mktemp("keystone"), free_port())
    try:
        real.create()
        yield real
    finally:
        real.stop()
