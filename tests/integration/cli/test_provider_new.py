"""``firstlight provider new``: what it makes installs, passes its tests, and is served."""

import json
import os
import subprocess
import sysconfig
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.providers.vendordata_service import free_port

DOCUMENT = Path(__file__).parents[3] / "docs" / "write-a-provider.md"
PROGRAMS = {"firstlight": "firstlight.cli", "pytest": "pytest", "pip": "pip._internal.cli.main"}
COMMAND = "import sys; from firstlight.cli import main; sys.exit(main())"
PROJECT = "039d104b7a5c4631b4ba6524d0b9e981"
INSTANCE = "2ae914e9-f5ab-44ce-b2a2-dcf8373d899d"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A virtual environment of its own, which sees what this one has; runs a program of it."""
    home = tmp_path_factory.mktemp("afternoon")
    venv.create(home / "venv", symlinks=True)
    ours = sysconfig.get_path("purelib")
    [site] = (home / "venv").glob("lib/python3*/site-packages")
    # addsitedir, so that an editable install of the project is seen as well.
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")

    python = home / "venv" / "bin" / "python"
    for name, module in PROGRAMS.items():  # as installing them would make them
        script = python.with_name(name)
        script.write_text(f"#!{python}\nfrom {module} import main\nraise SystemExit(main())\n")
        script.chmod(0o755)
    environ = os.environ | {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        # Without the plug-ins of our own tests, which nobody else has.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        # What the package depends on is here already.
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way of saying no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    def run(*command: str, cwd: Path = home) -> "subprocess.CompletedProcess[str]":
        program = ["sh", "-euxc", *command[1:]] if command[0] == "sh" else [python, *command]
        return subprocess.run(
            program,
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
        )

    yield run


@pytest.fixture(scope="module")
def package(environment: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new provider `rack_unit`, installed there."""
    target = tmp_path_factory.mktemp("work") / "firstlight-rack_unit"
    made = environment("-c", COMMAND, "provider", "new", "rack_unit", "--directory", str(target))
    assert made.returncode == 0, made.stderr
    assert f"cd {target}" in made.stdout
    done = environment("-m", "pip", "install", "--quiet", "--editable", str(target))
    assert done.returncode == 0, done.stderr
    return target


def test_the_documented_afternoon(environment: Run, tmp_path: Path) -> None:
    """What docs/write-a-provider.md says to type, typed, line for line."""
    text = DOCUMENT.read_text()
    script = text[text.index("```sh\n") + 6 :].partition("```")[0]
    done = environment("sh", script, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"greeting": "Good morning, web-1"' in done.stdout


def test_its_tests_pass(environment: Run, package: Path) -> None:
    """The suite of the contract and the test of its own, and none is skipped but one."""
    done = environment("-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", cwd=package)
    assert done.returncode == 0, done.stdout
    assert "test_it_greets_by_name" in done.stdout
    assert done.stdout.count("PASSED") > 10


@pytest.mark.parametrize("name", ["context", "provider", "a1", "x_1_y"])
def test_names_of_all_kinds(environment: Run, tmp_path: Path, name: str) -> None:
    """What is made can be imported, and hides nothing that it needs itself."""
    target = tmp_path / "made"
    made = environment("-c", COMMAND, "provider", "new", name, "--directory", str(target))
    assert made.returncode == 0, made.stderr
    script = f"import firstlight_{name}.provider as p; p.Provider.__subclasses__()[0](" + "{})"
    done = environment("-c", script, cwd=target / "src")
    assert done.returncode == 0, done.stderr


def test_its_tests_can_fail(environment: Run, package: Path) -> None:
    """A provider that answers what is not JSON does not pass."""
    path = package / "src" / "firstlight_rack_unit" / "provider.py"
    good = path.read_text()
    path.write_text(good.replace('{"greeting": f"', '{"greeting": {1}, "x": f"'))
    try:
        only = ("-k", "the_answer_is_json", "-p", "no:cacheprovider")
        done = environment("-m", "pytest", "-q", *only, cwd=package)
    finally:
        path.write_text(good)
    assert done.returncode == 1
    assert "test_the_answer_is_json" in done.stdout


def test_it_is_listed(environment: Run, package: Path) -> None:
    """As enabled, because the configuration beside it enables it."""
    conf = ("--config-file", "vendordata.conf")
    done = environment("-c", COMMAND, "provider", "list", *conf, cwd=package)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if "rack_unit" in line]
    assert line.split()[:3] == ["rack_unit", "yes", "-"]


def test_it_is_tried(environment: Run, package: Path) -> None:
    """With the options of that configuration, as its README says."""
    done = environment(
        "-c",
        COMMAND,
        *("provider", "run", "rack_unit", "--config-file", "vendordata.conf", "--no-live"),
        *("--instance", INSTANCE, "--project", PROJECT, "--hostname", "web-1"),
        cwd=package,
    )
    assert done.returncode == 0, done.stderr
    first, _, rest = done.stdout.partition("\n")
    assert first.startswith("rack_unit: ok in 0.")
    assert json.loads(rest) == {"greeting": "Good morning, web-1"}


def test_it_is_served(environment: Run, package: Path) -> None:
    """By the service, started from that configuration: `run` finds it live and the same."""
    port = free_port()
    script = (
        "import subprocess, sys, time\n"
        "from pathlib import Path\n"
        f"common = [sys.executable, '-c', {COMMAND!r}]\n"
        "conf = ['--config-file', 'vendordata.conf', '--config-file', 'port.conf']\n"
        "service = subprocess.Popen([*common, 'vendordata', *conf])\n"
        "try:\n"
        "    for _ in range(300):\n"
        "        run = subprocess.run([*common, 'provider', 'run', 'rack_unit', *conf,\n"
        f"            '--instance', {INSTANCE!r}, '--project', {PROJECT!r}],\n"
        "            capture_output=True, text=True)\n"
        "        if 'nothing answers' not in run.stdout or service.poll() is not None:\n"
        "            break\n"
        "    print(run.stdout, run.stderr)\n"
        "finally:\n"
        "    service.terminate()\n"
        "    service.wait(30)\n"
    )
    (package / "port.conf").write_text(
        f"[DEFAULT]\nport = {port}\n[firstlight]\nstatus_port = {free_port()}\n"
    )
    done = environment("-c", script, cwd=package)
    assert f"The service at http://127.0.0.1:{port} answers the same." in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Rack", "lower-case"),
        ("1st", "lower-case"),
        ("class", "lower-case"),
        ("../up", "lower-case"),
        ("project_info", "installed already"),
        ("x" * 41, "lower-case"),
    ],
)
def test_names_that_will_not_do(name: str, said: str, environment: Run) -> None:
    """Refused in words, and nothing is written."""
    done = environment("-c", COMMAND, "provider", "new", name, "--directory", "nowhere")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_it_overwrites_nothing(environment: Run, package: Path) -> None:
    """What is there stays as it is, and nothing half-made lies beside it."""
    done = environment("-c", COMMAND, "provider", "new", "another", "--directory", str(package))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert [path.name for path in package.parent.iterdir()] == [package.name]
