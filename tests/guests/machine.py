"""A whole guest: cloud-init installed in a root of its own, booted by its own command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from guests.booting import CloudInit, as_pid_1
from guests.net import Namespace
from support.parts import absent

_ROOT = Path(__file__).with_name("root")
_PATIENCE = 180  # seconds for three stages on a busy machine
_NO_MOUNT = 32  # mount(8): the mount failed


def boot_machine(guest: Namespace, cloud_init: CloudInit, home: Path) -> dict[str, Any]:
    """What all the stages did; see root/stages.py for the keys.

    `home` is an empty directory. Where this machine's root cannot be layered (overlayfs), the test
    is skipped or fails, see :func:`parts.absent`.
    """
    kept: list[str | Path] = [sys.prefix, sys.base_prefix, cloud_init.tree, _ROOT]
    enter = (_ROOT / "enter", cloud_init.tree, _ROOT / "guest.cfg", home, *kept, "--")
    stages = (sys.executable, "-P", _ROOT / "stages.py", cloud_init.tree)
    command = as_pid_1(*enter, *stages)
    done = subprocess.run(
        guest.command(*command), capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if done.returncode == _NO_MOUNT:
        absent(f"no overlay over this machine's root: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    became: dict[str, Any] = json.loads(done.stdout)
    return became
