"""Ask Nova's own code to change a server; see :mod:`lab.changing_nova`."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SCRIPT = Path(__file__).with_name("changing_nova.py")


class ChangeFailed(Exception):
    """Nova's code raised; the message is the end of what it said."""


class Changes:
    """A process of Nova's that changes servers, one after the other."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log
        self._answer()

    def make(self, change: str, uuid: str, *, notify: bool = True) -> None:
        """Make one of ``CHANGES``; when this returns it is in the databases."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([change, uuid, notify]) + "\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> None:
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            self._process.wait()
            raise ChangeFailed(self._log.read_text()[-3000:])


@contextmanager
def changing(environment: Path, configs: Sequence[Path], home: Path) -> Iterator[Changes]:
    """The process, with these configuration files."""
    log = home / "changes.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [environment / "bin" / "python", "-P", SCRIPT, *configs],
            env=os.environ | {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Changes(process, log)
    finally:
        process.terminate()
        process.communicate(timeout=30)
