"""A long-running command of the cloud: started, ended by its id, its log kept."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from support.servers.databases import end

_PATIENCE = 60  # seconds for it to end on a busy machine


class Program:
    """One command, in a session of its own, which a test may stop and start again.

    Args:
        command: program and arguments.
        directory: where it runs, and writes NAME.log.
        name: tells its logs from others' in the same directory.
        variables: its whole environment.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        directory: Path,
        name: str,
        *,
        variables: Mapping[str, str],
    ) -> None:
        self._command = command
        self._directory = directory
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None
        self.name = name
        self.log = directory / f"{name}.log"

    def start(self) -> None:
        """Start it; whoever needs it waits until what it does is seen."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._variables,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it, with whatever it has started. Stopping twice does no harm."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            end(process, _PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it at once, with whatever it has started, as a power failure would."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def runs(self) -> bool:
        """Whether it has been started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def said(self, characters: int = 3000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-characters:]
