"""The command ``uwsgi`` for files with ``env =`` lines; :func:`install` makes one.

The wheel pyuwsgi is a module of a Python that runs already, so what such a line sets is in the
process's environment, but not in ``os.environ``. There it is copied before the application is
imported; a uWSGI that starts Python itself has it so.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


def install(directory: Path) -> None:
    """Make an executable of that name in `directory`."""
    program = directory / "uwsgi"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} "$@"\n')
    program.chmod(0o755)


class _EnvironmentFirst:
    """Finds no module: the first that is looked for once uWSGI has begun is why it is asked."""

    def find_spec(
        self, _name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        sys.meta_path.remove(self)
        entries = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
        number = 0
        while entry := entries[number]:
            name, _, value = os.fsdecode(entry).partition("=")
            os.environ[name] = value
            number += 1
        return None


def main() -> None:
    """Be uWSGI."""
    import pyuwsgi

    sys.meta_path.insert(0, _EnvironmentFirst())
    pyuwsgi.run()


if __name__ == "__main__":
    main()
