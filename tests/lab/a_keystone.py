"""A Keystone for as long as a fixture lives."""

from collections.abc import Iterator

import pytest

from lab.environment import NoLab, lab
from lab.keystone import Keystone
from support.parts import absent
from support.servers.databases import free_port


def a_keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """A Keystone whose catalog is empty."""
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
