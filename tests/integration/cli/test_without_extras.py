"""Plain ``firstlight``, without any extra: every help is there, and what is missing is said."""

import subprocess
import sys

import pytest

from firstlight import cli, services
from firstlight.cli.parsing import COMMANDS

# The modules that come with an extra and with nothing that plain firstlight depends on.
EXTRAS = """
    alembic cryptography dotenv falcon flask httptools hvac keystoneauth1 keystonemiddleware
    oslo_messaging ovs prometheus_client psycopg pymemcache pymysql redis uvloop webob
""".split()

PROGRAM = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1].split()))
from firstlight.cli import main
sys.exit(main(sys.argv[2:]))
"""

STAND_IN = PROGRAM.replace("firstlight.cli import main", "firstlight.cli.stand_in import pcss")
STAND_IN = STAND_IN.replace("main(", "pcss(")

# Each program that has examples: of "provider" that is what it leads to.
PROGRAMS = [
    *(name for name in COMMANDS if name not in ("provider", "dpm")),
    *(f"provider {action}" for action in ("list", "new", "run")),
]


def run(line: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", program, " ".join(EXTRAS), *line.split()]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("line", PROGRAMS)
def test_help(line: str) -> None:
    """It needs no extra, and has an example."""
    done = run(f"{line} --help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"\n  firstlight {line}" in done.stdout


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        ("demo", "metadata,vendordata"),
        ("metadata", "metadata"),
        ("vendordata", "vendordata"),
        ("agent", "relay"),
        ("proxy", "relay"),
        ("provider list", "vendordata"),
        ("provider new rack", "vendordata"),
        ("provider run static_map", "vendordata"),
        ("show web-1", "metadata"),
        ("config-drive web-1 -o -", "metadata"),
        ("check", "metadata"),
        ("check vendordata", "vendordata"),
        ("check proxy", "relay"),
    ],
)
def test_what_to_install(line: str, extra: str) -> None:
    """One sentence that begins with what was typed and names the extra; exit code 2."""
    done = run(line)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"firstlight {line.split(maxsplit=1)[0]}")
    assert done.stderr.endswith(f": pip install 'firstlight[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_by_another_name() -> None:
    """A service that ``firstlight vendordata`` stands in for says it of itself."""
    assert run("--help", STAND_IN).returncode == 0
    done = run("", STAND_IN)
    assert done.returncode == 2
    assert done.stderr.startswith("pcss-vendor-metadata-svc needs")
    assert "pip install 'firstlight[vendordata]'" in done.stderr


def test_a_module_of_ours_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is no matter of what is installed."""
    monkeypatch.delattr(services, "show", raising=False)
    monkeypatch.setitem(sys.modules, "firstlight.services.show", None)
    with pytest.raises(ModuleNotFoundError, match=r"firstlight\.services"):
        cli.main(["show", "web-1"])
