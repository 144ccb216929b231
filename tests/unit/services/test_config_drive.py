"""`firstlight config-drive`, as an operator or a script uses it."""

import base64
import gzip
import io
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path

import pytest

from firstlight.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The configuration of a store with the sample instance, web-1, in it."""
    home = tmp_path_factory.mktemp("store")
    text = f"[store]\nconnection = sqlite:///{home}/store.sqlite\n"
    (home / "store.conf").write_text(text)
    with as_file(resources("firstlight.sources.store") / "sample.yaml") as sample:
        words = ["instance", "add", str(sample), "--config-file", str(home / "store.conf")]
        assert main(words) == 0
    return text


@pytest.fixture
def conf(stored: str, tmp_path: Path) -> Path:
    """A configuration file of a test's own."""
    conf = tmp_path / "metadata.conf"
    conf.write_text(stored)
    return conf


@pytest.fixture
def run(conf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs it for an instance; gives exit code, standard output and error."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

    def run_it(*words: str | Path, instance: str = "web-1") -> tuple[int, str, str]:
        try:
            code = main(["config-drive", instance, "--config-file", str(conf), *map(str, words)])
        except SystemExit as usage:
            code = int(usage.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_it


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where the drive goes."""
    return tmp_path / "disk.config"


def test_it_makes_a_drive(run: Run, output: Path) -> None:
    """For its owner alone, and says what it made."""
    code, out, err = run("-o", output)
    assert (code, err) == (0, "")
    assert out == f"{output}: iso9660, 49 files, {output.stat().st_size} bytes\n"
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert output.read_bytes()[0x8001:0x8006] == b"CD001"


def test_the_form_is_the_configurations(run: Run, conf: Path, output: Path) -> None:
    """Nova's option, unless the command line says another."""
    with conf.open("a") as file:
        file.write("[DEFAULT]\nconfig_drive_format = vfat\n")
    assert "vfat" in run("-o", output)[1]
    assert output.stat().st_size == 64 * 2**20
    assert output.stat().st_blocks * 512 < 2**20
    assert "iso9660" in run("-o", output, "--format", "iso9660")[1]


def test_versions_are_left_out_as_configured(run: Run, conf: Path, output: Path) -> None:
    """By Nova's option."""
    with conf.open("a") as file:
        file.write("[api]\nconfig_drive_skip_versions = latest 2009-04-04\n")
    assert ", 61 files," in run("-o", output)[1]  # eight versions for two, of two files each


def test_the_same_input_gives_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a seed and a time; without a seed every guest has its own."""
    (tmp_path / "seed").write_bytes(bytes(range(40)))
    one, two, three = (tmp_path / name for name in "123")
    given = ["--seed-file", tmp_path / "seed"]
    run("-o", one, *given, "--epoch", "1700000000")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    run("-o", two, *given)
    assert one.read_bytes() == two.read_bytes()
    run("-o", three)
    assert one.read_bytes() != three.read_bytes()


def test_what_is_handed_in_is_there(run: Run, tmp_path: Path, output: Path) -> None:
    """Files, password and more metadata, each from a file."""
    (tmp_path / "motd").write_text("Welcome\n")
    (tmp_path / "secret").write_text("pass word\n")
    (tmp_path / "more").write_text('{"dpm_nics": [{"devno": "0001"}]}')
    handed = ["--file", f"/etc/a=b={tmp_path / 'motd'}"]
    assert run("-o", output, *handed)[0] == 1  # the path ends at the first =
    handed = ["--file", f"/etc/motd={tmp_path / 'motd'}", "--admin-pass-file", tmp_path / "secret"]
    code, _, err = run("-o", output, *handed, "--extra-metadata", tmp_path / "more")
    assert (code, err) == (0, "")
    drive = output.read_bytes()
    assert b"Welcome\n" in drive
    assert b'"admin_pass": "pass word"' in drive
    assert b'"dpm_nics": [{"devno": "0001"}]' in drive


def test_a_password_comes_from_standard_input(
    run: Run, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it need not be in a file."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"pass word")))
    assert run("-o", output, "--admin-pass-file", "-")[0] == 0
    assert b'"admin_pass": "pass word"' in output.read_bytes()


def test_ironic_gets_text(run: Run, output: Path) -> None:
    """gzip, base64, one line, no newline."""
    assert run("-o", output, "--ironic")[0] == 0
    image = gzip.decompress(base64.b64decode(output.read_bytes(), validate=True))
    assert image[0x8001:0x8006] == b"CD001"


def command(conf: Path, *words: str) -> list[str]:
    """The command as a process."""
    program = str(Path(sys.executable).parent / "firstlight")
    return [program, "config-drive", "web-1", "-o", "-", "--config-file", str(conf), *words]


def test_standard_output_gets_the_image_alone(conf: Path) -> None:
    """Nothing else is said."""
    done = subprocess.run(command(conf), capture_output=True, check=True)
    assert done.stdout[0x8001:0x8006] == b"CD001"
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("device", "said"), [("/dev/full", "No space left on device"), (None, "Broken pipe")]
)
def test_an_output_that_takes_nothing_is_told_of(conf: Path, device: str | None, said: str) -> None:
    """In one line."""
    reader, writer = os.pipe()
    os.close(reader)
    target = os.open(device, os.O_WRONLY) if device else os.dup(writer)
    os.close(writer)
    with os.fdopen(target, "wb") as output:
        done = subprocess.run(command(conf), stdout=output, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode() == f"firstlight config-drive: -: {said}\n"


def test_a_terminal_gets_no_image(conf: Path) -> None:
    """It is no text; Ironic's form is."""
    terminal, other = pty.openpty()
    try:
        done = subprocess.run(command(conf), stdout=other, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(terminal)
        os.close(other)
    assert done.returncode == 1
    assert done.stderr == (
        b"firstlight config-drive: a terminal is no place for an image; redirect standard output\n"
    )


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--admin-pass-file", b"", "one line with the password is wanted"),
        ("--admin-pass-file", b"secret\nlines\n", "one line with the password is wanted"),
        ("--admin-pass-file", b"secret\xff", "is not UTF-8"),
        ("--admin-pass-file", b"secret" * 1000, "more than 4096 bytes"),
        ("--extra-metadata", b'["secret"]', "is not such JSON: Expected `object`, got `array`"),
        ("--extra-metadata", b"secret", "is not such JSON: JSON is malformed"),
        ("--extra-metadata", b"[" * 100_000, "is not such JSON"),
        ("--extra-metadata", b'{"uuid": "secret"}', "meta_data.json says uuid itself"),
        ("--bare-metal", b'{"ports": [{}]}', "missing required field `uuid` - at `$.ports[0]`"),
        ("--seed-file", b"secret", "a seed has at least 32 bytes"),
    ],
)
def test_what_cannot_be_used_is_refused(
    run: Run, tmp_path: Path, option: str, content: bytes, said: str
) -> None:
    """With the file's name and the reason, without its content, and before anything is written."""
    handed, output = tmp_path / "handed", tmp_path / "disk.config"
    handed.write_bytes(content)
    code, out, err = run("-o", output, option, handed)
    assert (code, out) == (1, "")
    assert said in err
    assert "secret" not in err
    assert not output.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--file", "motd"], "'motd' is not PATH=FILE"),
        (["--epoch", "-1"], "'-1' is not a number of seconds"),
        (["--epoch", "now"], "'now' is not a number of seconds below 4294967296"),
        (["--format", "ext4"], "invalid choice: 'ext4'"),
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, output: Path, words: list[str], said: str) -> None:
    """And says what was wrong."""
    code, _, err = run("-o", output, *words)
    assert code == 2
    assert said in err


@pytest.mark.parametrize(
    ("instance", "target", "said"),
    [
        ("nobody", "disk.config", "no instance has the UUID or the name nobody"),
        ("web-1", "missing/disk.config", "missing/disk.config: No such file or directory"),
        ("web-1", ".", "not a regular file; write to -, and copy"),
    ],
)
def test_a_failure_says_whose_fault_it_is(
    run: Run, tmp_path: Path, instance: str, target: str, said: str
) -> None:
    """In one line."""
    code, out, err = run("-o", tmp_path / target, instance=instance)
    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_bad_epoch_of_the_environment_is_named(
    run: Run, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came from elsewhere."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    code, _, err = run("-o", output)
    assert code == 1
    assert "SOURCE_DATE_EPOCH: 'yesterday' is not a number of seconds" in err


def test_what_is_too_large_is_refused(run: Run, tmp_path: Path, output: Path) -> None:
    """Ironic takes no more, and Nova's disks hold no more."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 * 2**20)
    code, _, err = run("-o", output, "--file", f"/large={large}")
    assert code == 1
    assert "67108864 is the most" in err
    assert not output.exists()


def test_the_drive_has_what_show_shows(
    run: Run, conf: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One instance, one content."""
    assert run("-o", output)[0] == 0
    path = "/openstack/latest/network_data.json"
    assert main(["show", "web-1", path, "--config-file", str(conf)]) == 0
    shown = capsys.readouterr().out.rstrip().encode()
    assert json.loads(shown)
    assert shown in output.read_bytes()
