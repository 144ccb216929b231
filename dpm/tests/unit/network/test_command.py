"""``neutron-dpm-agent`` where there is no Neutron."""

import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import firstlight_dpm

RUN = "import sys; from {} import {} as run; sys.exit(run())"


def test_without_neutron() -> None:
    """It says what it needs, in a sentence, and ends with 2."""
    (script,) = distribution("firstlight-dpm").entry_points.select(name="neutron-dpm-agent")
    source = Path(firstlight_dpm.__file__).parents[1]
    # -S: of all that is installed, nothing is there.
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUN.format(script.module, script.attr), "--help"],
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("neutron-dpm-agent needs Neutron")
    assert done.stderr.count("\n") == 1
