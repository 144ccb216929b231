"""Debian's cloud-init, unpacked, run in the guest's namespace."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from guests.net import Namespace
from support.parts import absent, need

HERE = Path(__file__).parent
_TOOL = HERE.parents[1] / "tools" / "cloud-init-env"
_ABSENT = 3  # the tool's exit code
_PATIENCE = 120  # seconds for a boot on a busy machine
SUITES = ("bookworm", "trixie", "sid")
PROMISED = "bookworm"  # the others are tested "where the mirror gives them"


class CloudInit(NamedTuple):
    """An unpacked package and the version it has."""

    suite: str
    tree: Path

    @property
    def version(self) -> str:
        """Upstream's: ``22.4.2``."""
        return self.tree.name.partition("-")[0]

    @property
    def number(self) -> tuple[int, ...]:
        """To be compared: (22, 4, 2)."""
        return tuple(map(int, self.version.split(".")))


def cloud_init(suite: str) -> CloudInit:
    """What that Debian suite has; without it the test is skipped, or fails where it is promised."""
    tree, reason = _unpacked(suite)
    if tree is None:
        if suite == PROMISED:
            absent(reason)
        pytest.skip(f"{reason} ({suite} is tested where the mirror gives it)")
    return CloudInit(suite, tree)


def newest() -> CloudInit:
    """The newest of SUITES that the mirror gives; the promised one at least, as above."""
    found = (suite for suite in reversed(SUITES) if _unpacked(suite)[0] is not None)
    return cloud_init(next(found, PROMISED))


@cache
def _unpacked(suite: str) -> tuple[Path | None, str]:
    done = subprocess.run([_TOOL, suite], capture_output=True, text=True, check=False)
    if done.returncode == _ABSENT:
        return None, done.stderr.strip()
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip()), ""


class Boot(NamedTuple):
    """A first boot that has begun.

    Attributes:
        log: cloud-init's own.
    """

    log: Path
    process: subprocess.Popen[str]

    def was_refused(self) -> bool:
        """Whether cloud-init has asked, and had no good answer."""
        return self.log.exists() and "failed" in self.log.read_text()

    def learned(self) -> dict[str, Any]:
        """What it learned in the end; see driver.py for the keys."""
        output, errors = self.process.communicate(timeout=_PATIENCE)
        assert self.process.returncode == 0, errors
        learned: dict[str, Any] = json.loads(output)
        return learned


@contextmanager
def booting(guest: Namespace, cloud_init: CloudInit, datasource: str, home: Path) -> Iterator[Boot]:
    """A boot in which cloud-init looks for `datasource`; at the end of the block it is over."""
    driver: list[str | Path] = [
        sys.executable,
        "-P",
        HERE / "driver.py",
        cloud_init.tree,
        datasource,
        home,
    ]
    with subprocess.Popen(
        guest.command(*as_pid_1(*driver)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Boot(home / "cloud-init.log", process)
        finally:
            process.kill()  # and, by --kill-child, the guest with it


def boot(guest: Namespace, cloud_init: CloudInit, datasource: str, home: Path) -> dict[str, Any]:
    """What a whole boot learns; see driver.py for the keys."""
    with booting(guest, cloud_init, datasource, home) as begun:
        return begun.learned()


def as_pid_1(*command: str | Path) -> list[str | Path]:
    """This command in namespaces of its own, as a first process that says it is Nova's server.

    cloud-init detects OpenStack by the DMI or, in a container, by this name in the environment of
    PID 1 (as nova-lxd set it). "container" keeps the DMI of the machine that tests out of it.
    """
    environment = ["container=lxc", "product_name=OpenStack Nova"]
    unshare = [need("unshare"), "--pid", "--mount", "--uts", "--fork", "--kill-child"]
    return [*unshare, "--mount-proc", "env", *environment, *command]
