"""Neutron's proxy: a real haproxy, with the file that Neutron's own driver writes."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.environment import needed
from support.parts import need
from support.servers.databases import eventually


@contextmanager
def haproxy(
    kind: str,
    identifier: str,
    agent: Path,
    inside: Callable[..., list[str]],
    options: str = "",
) -> Iterator[None]:
    """It runs in a namespace until the end of the block.

    Args:
        kind: ``network``, ``router`` or ``ovn``, and `identifier` is its id.
        agent: the socket it hands requests to; its own files are made beside.
        inside: makes of a command one that runs in the namespace.
        options: Neutron's, as they stand in a file.
    """
    named = [agent.with_name(f"{kind}.{ending}") for ending in ("ini", "cfg", "pid")]
    ini, config, pid_file = named
    ini.write_text(options)
    made = subprocess.run(
        [
            needed() / "bin" / "python",
            Path(__file__).with_name("make_haproxy_config.py"),
            *(kind, identifier, agent, pid_file, ini),
        ],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    config.write_text(made.stdout)
    command = inside(need("haproxy"), "-f", str(config))
    started = subprocess.run(command, capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    pid = int(pid_file.read_text())
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not Path(f"/proc/{pid}").exists())
