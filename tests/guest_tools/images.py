"""A stub of an image, and commands that must succeed."""

import os
import subprocess
from pathlib import Path

from support.parts import absent, need


def text(*words: object, **more: object) -> str:
    """What a command says, which must succeed."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout + done.stderr)


def image(tmp_path: Path, tool: str = "dracut") -> Path:
    """A stub of an image, in which the program that makes an initramfs can really be run."""
    if os.geteuid() != 0:
        absent("chroot needs root")
    root = tmp_path / "root"
    for name in (
        "usr/bin",
        "usr/sbin",
        "bin",
        "etc/cloud",
        "etc/udev/rules.d",
        "etc/ssh",
        "var/lib/cloud/data",
    ):
        (root / name).mkdir(parents=True)
    (root / "bin/sh").write_bytes(Path(need("busybox")).read_bytes())
    (root / "bin/sh").chmod(0o755)
    for name in (tool, "growpart"):
        path = root / "usr/bin" / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>/calls\n')
        path.chmod(0o755)
    (root / "etc/cloud/cloud.cfg").write_text("users: [default]\n")
    (root / "etc/zfcp.conf").write_text("0.0.8000 0x5001 0x0\n")
    (root / "etc/machine-id").write_text("9f8e7d6c5b4a39281706f5e4d3c2b1a0\n")
    (root / "etc/ssh/ssh_host_rsa_key").write_text("secret")
    (root / "etc/ssh/sshd_config").write_text("")
    (root / "etc/udev/rules.d/70-persistent-net.rules").write_text("")
    return root
