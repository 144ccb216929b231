"""Scripts that run inside the lab with Nova loaded already; see :mod:`lab.inside_loaded`."""

import atexit
import json
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path

from lab.uwsgi import LabFailed, environment_of

_INSIDE = Path(__file__).with_name("inside_loaded.py")
_ONE_AT_A_TIME = threading.Lock()


def ask(environment: Path, home: Path, script: Path, *arguments: str, said: str = "") -> str:
    """Run a script in `home` on the input `said`; its output.

    Raises:
        LabFailed: its exit code is not 0.
    """
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory) / name for name in ("in", "out", "err")]
        for file, text in zip(files, (said, "", ""), strict=True):
            file.write_text(text)
        words = {
            "words": [str(script), *arguments],
            "home": str(home),
            "files": list(map(str, files)),
        }
        with _ONE_AT_A_TIME:
            process = _process(environment)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()
            code = process.stdout.readline().strip()
        if code != "0":
            raise LabFailed(f"{script.name} {' '.join(arguments)}: {files[2].read_text()[-3000:]}")
        return files[1].read_text()


@cache
def _process(environment: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [environment / "bin" / "python", "-P", _INSIDE],
        env=environment_of(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)  # it ends with its input
    return process
