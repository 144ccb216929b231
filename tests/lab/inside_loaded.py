"""Runs inside the lab's own environment: scripts, each in a process that has Nova loaded already.

    python inside_loaded.py

A line of JSON says which: ``{"words": [SCRIPT, ARGUMENT ...], "home": DIRECTORY, "files": [INPUT,
OUTPUT, ERRORS]}``. The answer is a line with the exit code. Nova is imported once, which takes
scripts most of their time; each runs in a fork, so that none sees the configuration or a connection
of another.
"""

import json
import os
import runpy
import sys
import traceback
from typing import NoReturn

from nova import monkey_patch

monkey_patch.patch(backend="threading")

from nova import config, objects  # noqa: E402, F401  after Nova's patching; loaded to be measured
from nova.api.metadata import handler  # noqa: E402, F401  after Nova's patching; loaded to be measured
from nova.db import migration  # noqa: E402, F401  after Nova's patching; loaded to be measured
from nova.network import neutron, security_group_api  # noqa: E402, F401  after Nova's patching; loaded to be measured


def run(words: list[str], home: str, files: list[str]) -> NoReturn:
    """Be that script."""
    code = 1
    try:
        for number, path in enumerate(files):
            os.dup2(os.open(path, os.O_RDWR), number)
        sys.stdin = os.fdopen(0, closefd=False)
        sys.argv = words
        os.chdir(home)
        runpy.run_path(words[0], run_name="__main__")
        code = 0
    except BaseException:  # noqa: BLE001  whatever it is, this process ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Run each, one after the other, until standard input ends."""
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


main()
