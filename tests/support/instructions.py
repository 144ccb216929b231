"""User instructions that pieces of Python cost, counted by callgrind, the same on every machine.

A program that is run by :func:`count` calls :func:`begin` when it has imported what it needs, and
:func:`mark` around what it wants to have counted.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from support.parts import need

_TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)
_MARK = "getpgid"  # a function of the C library that nothing else here calls
# What would make counts differ. callgrind counts each byte that `rep movsb` copies.
_SAME = {
    "PYTHONHASHSEED": "0",
    "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1073741824",
}


def begin() -> None:
    """Count from now on. Until then the program runs ten times as fast, which imports need.

    Raises:
        CalledProcessError: callgrind does not listen.
    """
    control = [need("callgrind_control"), "--instr=on", str(os.getpid())]
    subprocess.run(control, check=True, capture_output=True)


def mark() -> None:
    """End one count, and begin the next."""
    os.getpgid(0)


def count(program: Path, *arguments: str, directory: Path) -> list[int]:
    """Instructions between each two marks of a Python program.

    Raises:
        AssertionError: the program failed; its last words are the message.
    """
    valgrind = [
        need("valgrind"),
        "--tool=callgrind",
        "--instr-atstart=no",
        f"--dump-before={_MARK}",
        f"--callgrind-out-file={directory / 'counts'}",
    ]
    done = subprocess.run(
        [*valgrind, sys.executable, program, *arguments],
        env=os.environ | _SAME | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    dumps = sorted(directory.glob("counts.*"), key=lambda path: int(path.suffix[1:]))
    totals = [int(_TOTAL.findall(path.read_text())[-1]) for path in dumps]
    return totals[1:]  # what came before the first mark
