"""What stands in for haproxy where our proxy answers is, to Neutron's agents, haproxy."""

import json
import subprocess
from pathlib import Path

from lab.environment import needed
from support.parts import need

STAND_IN = Path(__file__).resolve().parents[3] / "etc" / "neutron" / "haproxy"
MONITOR = Path(__file__).with_name("monitor_process.py")


def test_monitored_by_neutron(tmp_path):
    """Neutron's real process monitor finds it by its id, and ends it."""
    done = subprocess.run(
        [needed() / "bin" / "python", "-W", "ignore", MONITOR, STAND_IN, tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"active": True, "ended": True}


def test_other_use(tmp_path):
    """Called as haproxy is called otherwise it says what it is, and fails."""
    for arguments in (["-v"], [], ["-f", tmp_path / "absent"]):
        done = subprocess.run([STAND_IN, *arguments], capture_output=True, text=True)
        assert done.returncode == 1
        assert "stands in" in done.stderr
    (tmp_path / "without.conf").write_text("global\n")
    command = [STAND_IN, "-f", tmp_path / "without.conf"]
    assert "no pidfile" in subprocess.run(command, capture_output=True, text=True).stderr


def test_shell():
    """shellcheck finds nothing."""
    subprocess.run([need("shellcheck"), STAND_IN], check=True)
