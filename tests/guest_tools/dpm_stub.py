"""A root for the DPM tools, and each tool in its two forms."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from guest_tools.pythons import ROOT, Guest
from support.parts import need

SCRIPTS = ROOT / "guest/firstlight_guest/files/bin"
MAC = "0a0000000011"


class Stub(NamedTuple):
    """A root with programs that only say how they were called."""

    root: Path

    def program(self, name: str, code: int = 0, does: str = "") -> None:
        """Have this program there; it ends with `code`."""
        path = self.root / "usr/sbin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>{self.root}/calls\n{does}\nexit {code}\n')
        path.chmod(0o755)

    def cmdline(self, text: str) -> None:
        """The kernel's command line."""
        self.file("proc/cmdline", f"{text}\n")

    def file(self, name: str, text: str = "") -> None:
        """Have this file there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def calls(self) -> list[str]:
        """What was called since the last look."""
        record = self.root / "calls"
        lines = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return lines


class Ran(NamedTuple):
    code: int
    said: str


Form = Callable[..., Ran]


def form_of(kind: str, stub: Stub, guest: Guest) -> Form:
    """Either tool by its name: "python", "sh" or "busybox"."""

    def run(tool: str, *words: str) -> Ran:
        if kind == "python":
            done = guest.run("--root", stub.root, tool, *words)
        else:
            script = {"network": "autoconfigure_networking.sh", "setmac": "setmac.sh"}[tool]
            shell = [need("busybox"), "sh"] if kind == "busybox" else ["sh"]
            done = subprocess.run(
                [*shell, SCRIPTS / script, *words],
                env={"ROOT_DIR": str(stub.root), "PATH": os.environ["PATH"]},
                capture_output=True,
                text=True,
                timeout=60,
            )
        return Ran(done.returncode, done.stdout + done.stderr)

    return run


def path(devno: str, name: str) -> str:
    return f"/devices/qeth/0.0.{devno}/net/{name}"


def set_(name: str, mac: str = "0a:00:00:00:00:11") -> str:
    return f"ip link set {name} address {mac}"
