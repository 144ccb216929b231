"""Neutron's RPC server beside its API, on a real RabbitMQ: what its agents talk to."""

import os
import signal
import subprocess
from pathlib import Path

from support.servers.databases import eventually

START_DEADLINE = 120  # seconds; a cold import takes about ten


class NeutronRpc:
    """A neutron-rpc-server that can be stopped and started again.

    Args:
        environment: the lab, see :func:`lab.environment.lab`.
        directory: with the neutron.conf of a :class:`~lab.real_neutron.RealNeutron` whose
            ``transport_url`` is a real one.
    """

    def __init__(self, environment: Path, directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve; returns at once, since who asks has to wait for an answer anyway."""
        with (self._directory / "rpc.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._environment / "bin" / "neutron-rpc-server",
                    *("--config-file", self._directory / "neutron.conf"),
                ],
                env={"PATH": f"{self._environment / 'bin'}:{os.defpath}", "LC_ALL": "C.UTF-8"},
                cwd=self._directory,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Of the parent of its workers, while it serves."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Serve no more. Stopping twice does no harm."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()  # its parent ends its workers
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
            assert eventually(lambda: not _session_lives(process.pid), 30)

    def pause(self) -> None:
        """Take calls and answer none of them."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End the pause. Calls that nobody waits for any more are answered all the same."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)  # its session, which is its own: it has workers


def _session_lives(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True
