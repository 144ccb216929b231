"""The zipapp as it is shipped, and every Python here that may run it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_OLD = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.12", "3.13")


class Guest(NamedTuple):
    """`firstlight-guest`, run by one Python."""

    python: str
    zipapp: Path

    def command(self, *words: object) -> list[str]:
        """The words that start it."""
        return [self.python, "-I", str(self.zipapp), *map(str, words)]

    def run(
        self, *words: object, before: Sequence[str] = (), **more: object
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; `before` are words before the command, such as ``ip netns exec``."""
        command = [*before, *self.command(*words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)  # type: ignore[call-overload,no-any-return]


def _find(version: str) -> str | None:
    """A Python of that version: on PATH, RHEL's own, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [shutil.which(f"python{version}"), "/usr/libexec/platform-python"]
    candidates += map(str, pyenv.glob(f"{version}.*/bin/python3"))
    return next((each for each in candidates if each and _is(each, version)), None)


def _is(python: str, version: str) -> bool:
    """Whether it runs, which pyenv's shims may not, and is what it is called."""
    try:
        return version_of(python) == version
    except OSError:
        return False


@cache
def everywhere() -> tuple[str, ...]:
    """The Python of the tests and the oldest that is here; FIRSTLIGHT_SOAK: all in between, too.

    FIRSTLIGHT_GUEST_PYTHON names another in their place.
    """
    named = os.environ.get("FIRSTLIGHT_GUEST_PYTHON")
    if named:
        return (named,)
    old = [python for python in map(_find, _OLD) if python]
    return (sys.executable, *(old if os.environ.get("FIRSTLIGHT_SOAK") else old[:1]))


def usual() -> tuple[str, ...]:
    """What runs the long lists of cases: all of them only when there is time."""
    return everywhere() if os.environ.get("FIRSTLIGHT_SOAK") else everywhere()[:1]


def version_of(python: str) -> str:
    """For the names of tests."""
    tell = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", tell], capture_output=True, text=True).stdout.strip()
