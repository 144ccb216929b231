"""Run inside the guest's root: cloud-init's stages, as its systemd units run them.

``python stages.py TREE`` prints one JSON object: the machine's name, what the stages said, and by
path what they wrote.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

_STAGES = (("init",), ("modules", "--mode=config"), ("modules", "--mode=final"))
_WRITTEN = (
    "etc/firstlight/*",
    "etc/hostname",
    "etc/systemd/network/*",
    "etc/netplan/*",
    "etc/network/interfaces.d/*",
    "home/*/.ssh/authorized_keys",
    "run/cloud-init/result.json",
    "var/log/cloud-init.log",
)


def main(tree: str) -> None:
    """Boot, and print what became of it."""
    environment = os.environ | {"PYTHONPATH": f"{tree}/usr/lib/python3/dist-packages"}
    said = [
        subprocess.run(
            [sys.executable, "-m", "cloudinit.cmd.main", *stage],
            env=environment,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        ).stdout
        for stage in _STAGES
    ]
    files = {f"/{file}": Path("/", file).read_text() for file in _written()}
    print(json.dumps({"name": socket.gethostname(), "said": said, "files": files}))


def _written() -> list[str]:
    return [str(file.relative_to("/")) for glob in _WRITTEN for file in Path("/").glob(glob)]


if __name__ == "__main__":
    main(*sys.argv[1:])
