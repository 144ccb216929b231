"""Run a command whenever a value has become another one."""

import os
import subprocess
import sys
import time
from typing import Callable, List, Optional

from .deadline import Deadline
from .errors import CouldNotAsk, NotThere
from .service import Service


def watch(
    look: Callable[[], bytes],
    key: str,
    command: List[str],
    service: Service,
    *,
    interval: float,
    patience: float,
) -> None:
    """Look for ever, until a signal ends it.

    The first value is where it begins, and runs nothing. The command gets the new value on its
    standard input, nothing if it has gone, and its name in FIRSTLIGHT_KEY. A command that fails is
    told of and run again at the next look; a look that fails changes nothing.
    """
    last, begun = None, False
    while True:
        service.deadline = Deadline(patience)
        try:
            now = _value(look)
        except CouldNotAsk as error:
            print(f"could not ask: {error}", file=sys.stderr, flush=True)
        else:
            if not begun or (now != last and _run(command, key, now)):
                last, begun = now, True
        time.sleep(interval)


def _value(look: Callable[[], bytes]) -> Optional[bytes]:
    try:
        return look()
    except NotThere:
        return None


def _run(command: List[str], key: str, value: Optional[bytes]) -> bool:
    environ = dict(os.environ, FIRSTLIGHT_KEY=key)
    try:
        code = subprocess.run(command, input=value or b"", env=environ, check=False).returncode  # noqa: S603  what the operator typed, without a shell
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return False
    if code != 0:
        print(f"{command[0]} ended with {code}", file=sys.stderr, flush=True)
    return code == 0
