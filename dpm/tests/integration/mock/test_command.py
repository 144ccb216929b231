"""``python -m firstlight_dpm.mock``, which is ``firstlight dpm hmc-mock``, for other processes."""

import argparse
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import zhmcclient

from firstlight_dpm.mock import command

DOCS = Path(__file__).resolve().parents[4] / "docs" / "dpm"


@pytest.fixture
def mock(tmp_path: Path):
    """Starts the program and reads what it announces."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, cwd: Path | None = None) -> tuple[subprocess.Popen[str], str]:
        program = [sys.executable, "-m", "firstlight_dpm.mock", "--listen", "127.0.0.1:0"]
        process = subprocess.Popen(
            [*program, *arguments], stdout=subprocess.PIPE, text=True, cwd=cwd
        )
        started.append(process)
        assert process.stdout
        announced = ""
        while "physical_network_adapter_mappings" not in announced:
            line = process.stdout.readline()
            assert line, "the mock ended"
            announced += line
        return process, announced

    yield start
    for process in started:
        process.kill()
        process.communicate()


def value(announced: str, name: str) -> str:
    return re.search(rf"^{name} = (.*)$", announced, re.MULTILINE)[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_what_it_announces_until_it_is_ended(number, mock):
    """A client finds the machine with the printed options; the certificate goes with it."""
    process, announced = mock("--machine", "z14")
    ca_file = Path(value(announced, "hmc_ca_file"))
    session = zhmcclient.Session(
        value(announced, "hmc"),
        value(announced, "hmc_username"),
        value(announced, "hmc_password"),
        port=int(value(announced, "hmc_port")),
        verify_cert=str(ca_file),
    )
    (cpc,) = zhmcclient.Client(session).cpcs.list(full_properties=True)
    assert cpc.get_property("object-id") == value(announced, "cpc_object_id")
    session.logoff()
    process.send_signal(number)
    assert process.wait(30) == 0
    assert not ca_file.exists()


def test_the_certificate_can_be_kept(mock, tmp_path):
    """In a directory, printed from the root on; its key only the owner reads."""
    _, announced = mock("--directory", "here", cwd=tmp_path)
    assert value(announced, "hmc_ca_file") == str(tmp_path / "here" / "hmc.pem")
    assert (tmp_path / "here" / "hmc.pem").exists()
    assert (tmp_path / "here" / "hmc.key").stat().st_mode & 0o077 == 0


def test_what_is_printed_fits_the_other_pages(mock):
    """The files are called as in configure.md, the network as in getting-started.md."""
    _, announced = mock()
    headings = re.findall(r"^# (into .*)$", announced, re.MULTILINE)
    assert headings == ["into nova.conf", "into neutron_dpm_agent.conf"]
    mapped = value(announced, "physical_network_adapter_mappings")
    started = (DOCS / "getting-started.md").read_text()
    assert f"physical_network_adapter_mappings = {mapped.partition(':')[0]}:" in started
    assert "/neutron_dpm_agent.conf" in (DOCS / "configure.md").read_text()


WITHOUT = """
import runpy, sys
sys.modules["cryptography"] = None
runpy.run_module("firstlight_dpm.mock", run_name="__main__", alter_sys=True)
"""


def test_help_needs_no_extra():
    """And has an example."""
    done = without("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n  python -m firstlight_dpm.mock --machine z13 --directory hmc" in done.stdout


def test_the_extra_is_named_where_it_is_missing():
    """One sentence and exit code 2."""
    done = without()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(": pip install 'firstlight-dpm[mock]'\n")
    assert done.stderr.count("\n") == 1


def without(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", WITHOUT, *arguments]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--listen", "6794"), "ADDRESS:PORT"),
        (("--listen", "127.0.0.1:70000"), "ADDRESS:PORT"),
        (("--job-seconds", "-1"), "between 0 and 3600"),
        (("--job-seconds", "nan"), "between 0 and 3600"),
        (("--machine", "z12"), "invalid choice"),
    ],
)
def test_what_is_no_option_is_said(arguments, said, capsys):
    """One sentence, before anything is served."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(arguments)
    assert said in capsys.readouterr().err


def test_an_address_that_is_not_here():
    """Is an exit code and a sentence, not a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "firstlight_dpm.mock", "--listen", "192.0.2.1:0"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "cannot listen on 192.0.2.1:0" in done.stderr
    assert "Traceback" not in done.stderr
