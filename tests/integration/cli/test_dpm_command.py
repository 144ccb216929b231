"""``firstlight dpm``: what firstlight-dpm adds to the command, and what is said without it."""

import subprocess
import sys
from pathlib import Path

from firstlight import cli
from firstlight.cli import dpm


def test_it_is_found_where_it_is_installed():
    """The served HMC's options are there, with the machines one can choose from."""
    command = Path(sys.executable).parent / "firstlight"
    done = subprocess.run(
        [command, "dpm", "hmc-mock", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "z13,z14,z16,z17" in done.stdout
    assert "\n  firstlight dpm hmc-mock --machine z13 --directory hmc" in done.stdout


def test_what_to_install_is_said_where_it_is_not(monkeypatch, capsys):
    """One sentence and exit code 2, whatever was asked for."""
    monkeypatch.setattr(dpm, "entry_points", lambda **_: ())
    assert cli.main(["dpm", "hmc-mock", "--machine", "z13"]) == 2
    assert "pip install 'firstlight-dpm[mock]'" in capsys.readouterr().err


WITHOUT = """
import sys
sys.modules["cryptography"] = None
from firstlight.cli import main
sys.exit(main(["dpm", "hmc-mock"]))
"""


def test_the_extra_is_named_where_it_is_missing():
    """firstlight-dpm beside Nova has no use for it, so it may not be there."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("pip install 'firstlight-dpm[mock]'")
