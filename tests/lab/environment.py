"""Where the lab is: a virtual environment with real Nova, Keystone, Neutron and uWSGI in it.

There is one for each older Nova, too; Nova and uWSGI are all that is in it.
"""

import os
import subprocess
from pathlib import Path

from support.parts import absent

BUILDER = Path(__file__).parents[2] / "tools" / "lab-env"


class NoLab(Exception):
    """There is no lab; the message says how to get one."""


def lab() -> Path:
    """The environment's directory: ``FIRSTLIGHT_LAB``, else what ``tools/lab-env`` prints.

    Raises:
        NoLab: neither leads to an environment with uWSGI and Nova.
    """
    return _checked(os.environ.get("FIRSTLIGHT_LAB") or _built())


def needed() -> Path:
    """The same for a test, which is skipped where there is none; see :func:`parts.absent`."""
    try:
        return lab()
    except NoLab as reason:
        absent(str(reason))


def older(release: int) -> Path:
    """The same with an older Nova, such as 29.

    Raises:
        NoLab: it cannot be built.
    """
    return _checked(_built(f"nova-{release}"))


def _checked(named: str) -> Path:
    directory = Path(named)
    if not (directory / "bin" / "uwsgi").exists() or not (directory / "etc" / "nova").exists():
        raise NoLab(f"no Nova with uWSGI in {directory}; run tools/lab-env, or set FIRSTLIGHT_LAB")
    return directory


def nova_release(environment: Path) -> str:
    """The version of the Nova in there, such as ``34.0.0``."""
    found = next(environment.glob("lib/python3*/site-packages/nova-*.dist-info"))
    return found.name.removeprefix("nova-").removesuffix(".dist-info")


def _built(*name: str) -> str:
    if not BUILDER.exists():
        raise NoLab("set FIRSTLIGHT_LAB to a virtual environment with nova and uwsgi in it")
    try:
        done = subprocess.run([BUILDER, *name], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise NoLab(f"tools/lab-env failed: {error.stderr[-500:]}") from error
    return done.stdout.strip().splitlines()[-1]
