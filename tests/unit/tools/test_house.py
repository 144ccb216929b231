"""What the source tree is held to beside the contracts of .importlinter, and what a count finds."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import house
import pytest

ROOT = Path(__file__).parents[3]
OURS = house.modules(ROOT / "src", "firstlight")
DPM = house.modules(ROOT / "dpm/src", "firstlight_dpm")

# Read to declare arguments, and light: choices, defaults, which process serves.
PARSING = (
    "firstlight.check",
    "firstlight.cli",
    "firstlight.conf.compat_mode",
    "firstlight.config_drive",
    "firstlight.demo",
    "firstlight.httpd.process.channel",
)
# The same idea in two places, each with a class of its own.
ALIKE = {"BadConnection", "BadTransport"}


@pytest.fixture
def copy(tmp_path):
    """The package alone, to be spoilt."""
    shutil.copytree(ROOT / "src/firstlight", tmp_path / "src/firstlight")
    return tmp_path


def contracts(root):
    """What .importlinter says of the packages in `root`."""
    environment = {"PYTHONPATH": f"{root / 'src'}:{ROOT / 'dpm/src'}", "PATH": "/usr/bin:/bin"}
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--contract=layers"]
    command += [f"--config={ROOT / '.importlinter'}"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def test_a_package_of_no_layer_fails(copy):
    """Whoever adds one says which packages it may know."""
    assert contracts(copy).returncode == 0
    stray = copy / "src/firstlight/stray"
    stray.mkdir()
    (stray / "__init__.py").write_text('"""In no layer."""\n')
    done = contracts(copy)
    assert done.returncode == 1
    assert "stray" in done.stdout


def test_an_arrow_that_runs_up_fails(copy):
    """What a command does never asks the command line."""
    with (copy / "src/firstlight/services/show.py").open("a") as file:
        file.write("\nimport firstlight.cli.arguments\n")
    done = contracts(copy)
    assert done.returncode == 1
    assert "firstlight.services.show -> firstlight.cli.arguments" in done.stdout


@pytest.mark.parametrize("tree", [OURS, DPM], ids=["firstlight", "firstlight-dpm"])
def test_no_circle(tree):
    """Modules import each other in no circle, in functions neither, but for type checkers."""
    assert house.circles(house.arrows(tree).run) == []


def test_a_circle_is_found(tmp_path):
    """Through a function's import too; one for type checkers alone is none."""
    package = tmp_path / "made"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "first.py").write_text("from made import second\n")
    (package / "second.py").write_text("def late():\n    from made.third import THREE\n")
    third = package / "third.py"
    third.write_text("THREE = 3\nimport typing\nif typing.TYPE_CHECKING:\n    import made.first\n")
    assert house.circles(house.arrows(house.modules(tmp_path, "made")).run) == []
    third.write_text("THREE = 3\nimport made.first\n")
    found = house.circles(house.arrows(house.modules(tmp_path, "made")).run)
    assert found == [["made.first", "made.second", "made.third"]]


def test_public_classes_have_names_of_their_own():
    """So that a name in a traceback, or a search, leads to one place."""
    twice = {name for name, where in house.classes(OURS).items() if len(where) > 1}
    assert twice <= ALIKE
    assert all(len(where) == 1 for where in house.classes(DPM).values())


@pytest.mark.parametrize("tree", [OURS, DPM], ids=["firstlight", "firstlight-dpm"])
def test_docstrings_name_what_there_is(tree):
    """A class that is renamed is renamed where it is said to be raised, too."""
    assert house.strange(tree) == []


def test_a_strange_name_is_found(tmp_path):
    """In a list of what is raised, and in a reference."""
    package = tmp_path / "made"
    package.mkdir()
    text = '"""See :class:`Gone`, :func:`it`."""\n\n\ndef it():\n    """Do.\n\n    Raises:\n'
    (package / "one.py").write_text(text + '        OSError, Former: no.\n    """\n')
    assert house.strange(house.modules(tmp_path, "made")) == ["made.one: Gone", "made.one: Former"]


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("firstlight.cli")])
def test_the_command_line_parses(name):
    """What does a command's work is imported when it runs, and --help needs nothing of it."""
    first = [node for node in OURS[name].tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    top = house.modules_of(first, OURS)
    assert [one for one in top if not one.startswith(PARSING)] == []


def test_code_lines():
    """Blanks, comments and docstrings are none."""
    text = '"""Says."""\n\n# why\nX = (\n    1\n)\n\n\ndef f():\n    """It."""\n    return X\n'
    assert house.code_lines(text) == {4, 5, 6, 9, 11}


def test_it_tells(tmp_path):
    """Of a checkout by its directory."""
    for package in ("src/firstlight", "dpm/src/firstlight_dpm"):
        for folder, other in (("up", "down"), ("down", "up")):
            directory = tmp_path / package / folder
            directory.mkdir(parents=True)
            text = (
                f"from {package.rpartition('/')[2]}.{other} import one\n\n\nclass One:\n    pass\n"
            )
            (directory / "one.py").write_text(text + "\n\ndef f():\n    return one\n" * 2)
    (tmp_path / "src/firstlight/up/two.py").write_text("from firstlight.down import one\n")
    done = subprocess.run(
        [sys.executable, ROOT / "tools/house.py", tmp_path], capture_output=True, text=True
    )
    said = done.stdout.partition("firstlight_dpm")[0].splitlines()
    assert said[:3] == [
        "firstlight: 3 files, 15 code lines",
        "  code lines a file: median 7, p90 7; a function: median 2, p90 2",
        "  arrows up: 1 down -> up",
    ]
    assert "  circles: 1 of imports that run, 0 more with type-only ones" in said
    assert "  public classes of one name: 1" in said


def test_each_exception_from_a_rule_has_its_reason():
    """Behind the rule's name, in the same line."""
    named = subprocess.run(
        ["git", "grep", "-nE", "# noqa", "--", "*.py"], cwd=ROOT, capture_output=True, text=True
    )
    lines = [line for line in named.stdout.splitlines() if "tools/test_house.py" not in line]
    reasoned = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* +[-(]? ?\w.{4}")
    assert len(lines) > 50
    assert [line for line in lines if not reasoned.search(line)] == []
