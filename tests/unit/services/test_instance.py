"""`firstlight instance`, as a person or a script uses it."""

import json
from collections.abc import Callable
from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path

import pytest
import yaml

from firstlight.cli import main
from firstlight.sources.store import Store
from support.cloud.store_samples import interface, server, uuid

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the command's store is."""
    return f"sqlite:///{tmp_path}/firstlight.sqlite"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``firstlight instance ...``; gives exit code, standard output and error."""
    settings = tmp_path / "store.conf"
    settings.write_text(f"[DEFAULT]\nstate_path = {tmp_path}\n")

    def run_it(action: str, *words: str) -> tuple[int, str, str]:
        config = [] if action == "schema" else ["--config-file", str(settings)]
        try:
            code = main(["instance", action, *config, *words])
        except SystemExit as usage:
            code = int(usage.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_it


@pytest.fixture
def store(url: str) -> Store:
    """The store the command uses, seen from elsewhere."""
    store = Store.open(url)
    yield store
    store.close()


def test_the_sample_s_life(run: Run, tmp_path: Path) -> None:
    """Add, list, show, change, rebuild from what was shown, remove."""
    with as_file(resources("firstlight.sources.store") / "sample.yaml") as sample:
        code, out, _ = run("add", str(sample))
        assert code == 0
        assert out == "added 7f3c1e9a-52d4-4b7e-9a31-0d5e6f8a1b2c web-1\n"
        code, _, err = run("add", str(sample))
        assert code == 1
        assert err.startswith(f"{sample}:3: uuid: 7f3c1e9a-52d4-4b7e-9a31-0d5e6f8a1b2c is stored")
    _, out, _ = run("list")
    assert out.splitlines()[1].split() == [
        "7f3c1e9a-52d4-4b7e-9a31-0d5e6f8a1b2c",
        "web-1",
        "3d1b0f6c8e2a4975b6d7c8e9f0a1b2c3",
        "i-00000001",
        "192.0.2.10,198.51.100.140,2001:db8:8::140",
    ]
    assert run("update", "web-1", "--metadata", "role=a=b", "--remove-metadata", "version")[0] == 0
    _, shown, _ = run("show", "web-1")
    assert yaml.safe_load(shown)["metadata"] == {"role": "a=b"}
    again = tmp_path / "again.yaml"
    again.write_text(shown.replace("name: web-1", "name: web-2"))
    assert run("update", "web-1", str(again))[0] == 0
    code, _, err = run("update", "web-2", str(again))
    assert code == 1
    assert "revision 3, not 2" in err
    code, out, _ = run("remove", "web-2")
    assert (code, out) == (0, "removed 7f3c1e9a-52d4-4b7e-9a31-0d5e6f8a1b2c\n")
    assert run("list", "--json")[1] == "[]\n"


def test_an_empty_list_is_said_to_be_empty(run: Run) -> None:
    """Nothing on standard output, a hint on standard error, exit code 0."""
    code, out, err = run("list")
    assert (code, out) == (0, "")
    assert "empty" in err


def test_a_wrong_file_stores_nothing(run: Run, tmp_path: Path, store: Store) -> None:
    """One wrong document among several files, and none is stored; every reason is printed."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(f"uuid: {uuid(1)}\nproject_id: p\nname: n\nhostname: h\n")
    bad.write_text("uuid: x\n---\nuuid: y\n")
    code, out, err = run("add", str(good), str(bad))
    assert (code, out) == (1, "")
    assert [line.removeprefix(f"{tmp_path}/") for line in err.splitlines()] == [
        "bad.yaml:1: uuid: not a lower-case UUID",
        "bad.yaml:3: uuid: not a lower-case UUID",
    ]
    assert list(store.list()) == []


def test_a_name_must_say_which(run: Run, store: Store) -> None:
    """Two of a name are listed and refused; a UUID in any case will do; nobody is unknown."""
    store.add_all([server(1), server(2, project_id="p2")])
    code, out, err = run("remove", "web")
    assert (code, out) == (1, "")
    assert f"{uuid(1)} of project p1" in err
    assert f"{uuid(2)} of project p2" in err
    assert run("remove", uuid(1).upper())[0] == 0
    assert run("show", "web")[0] == 0
    code, _, err = run("show", "nobody")
    assert code == 1
    assert "no instance has the UUID or the name nobody" in err


def test_a_removal_is_all_or_nothing(run: Run, store: Store) -> None:
    """One unknown among them, and none is removed; named twice is once."""
    store.add(server(1))
    assert run("remove", uuid(1), uuid(2))[0] == 1
    assert len(store.list()) == 1
    assert run("remove", uuid(1), "web")[0] == 0


def test_the_password_is_cleared(run: Run, store: Store, tmp_path: Path) -> None:
    """By name, and by a rebuild unless it is none; each says so."""
    store.add(server(1))
    store.set_password(uuid(1), "s3cret")
    assert run("update", "web", "--clear-password") == (
        0,
        f"updated {uuid(1)}\nits password is forgotten; its guest may post another one\n",
        "",
    )
    store.set_password(uuid(1), "another")
    document = tmp_path / "web.yaml"
    document.write_text(run("show", "web")[1])
    assert run("update", "web", str(document), "--keep-password")[1] == f"updated {uuid(1)}\n"
    assert run("show", "web", "--password")[1] == "another\n"
    document.write_text(run("show", "web")[1])
    assert "forgotten" in run("update", "web", str(document))[1]
    assert run("show", "web", "--password")[0] == 1
    assert run("update", "web", "--keep-password")[0] == 2


def test_the_password_is_shown_only_when_asked_for(run: Run, store: Store) -> None:
    """Neither YAML nor JSON has it; without one, that is said."""
    store.add(server(1))
    assert run("show", "web", "--password")[0] == 1
    store.set_password(uuid(1), "s3cret")
    assert "s3cret" not in run("show", "web")[1] + run("show", "web", "--json")[1]
    assert run("show", "web", "--password")[1] == "s3cret\n"


def test_lists_for_programs(run: Run, store: Store) -> None:
    """JSON has the id, names, project, EC2 id and addresses."""
    store.add(server(1, interfaces=(interface("192.0.2.1", "192.0.2.0/24"),)))
    assert json.loads(run("list", "--json")[1]) == [
        {
            "uuid": uuid(1),
            "name": "web",
            "hostname": "web",
            "project_id": "p1",
            "ec2_id": "i-00000001",
            "addresses": ["192.0.2.1"],
        }
    ]


def test_boot_roles_stay(run: Run, store: Store, tmp_path: Path) -> None:
    """A rebuild may leave them out, and cannot change them."""
    store.add(server(1, boot_roles="member"))
    file = tmp_path / "web.yaml"
    basics = f"uuid: {uuid(1)}\nproject_id: p1\nname: web\nhostname: db\n"
    file.write_text(basics + "boot_roles: admin\n")
    code, _, err = run("update", "web", str(file))
    assert code == 1
    assert "boot_roles" in err
    file.write_text(basics)
    assert run("update", "web", str(file))[0] == 0
    found = store.instance(uuid(1))
    assert found is not None
    assert (found.hostname, found.boot_roles) == ("db", "member")


def test_an_update_takes_the_one_right_document(run: Run, store: Store, tmp_path: Path) -> None:
    """Another instance's, or several, are refused; so is metadata that is not there."""
    store.add(server(1))
    file = tmp_path / "web.yaml"
    basics = "project_id: p1\nname: web\nhostname: web\n"
    file.write_text(f"uuid: {uuid(2)}\n{basics}")
    code, _, err = run("update", "web", str(file))
    assert code == 1
    assert err.startswith(f"{file}:1: uuid: {uuid(2)} is not the instance to update")
    file.write_text(f"uuid: {uuid(1)}\n{basics}---\nuuid: {uuid(2)}\n{basics}")
    assert "has 2 instances" in run("update", "web", str(file))[2]
    assert "no metadata x" in run("update", "web", "--remove-metadata", "x")[2]


@pytest.mark.parametrize(
    "words",
    [
        ("add",),
        ("update", "web"),
        ("update", "web", "file", "--metadata", "a=b"),
        ("update", "web", "--metadata", "ab"),
        ("show", "web", "--json", "--password"),
    ],
)
def test_wrong_usage_is_2(run: Run, words: tuple[str, ...]) -> None:
    """As every command line."""
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "usage:" in err


def test_help_has_examples(run: Run) -> None:
    """What a newcomer can copy."""
    code, out, _ = run("--help")
    assert code == 0
    assert "firstlight instance add web.yaml" in out


def test_what_is_missing_is_named(run: Run, tmp_path: Path) -> None:
    """A file, a directory: the sentence has its name."""
    assert "none.yaml" in run("add", str(tmp_path / "none.yaml"))[2]
    code, _, err = run("list", "--config-file", str(tmp_path / "none.conf"))
    assert code == 1
    assert "none.conf" in err


def test_the_schema_is_json(run: Run) -> None:
    """It needs no configuration."""
    assert json.loads(run("schema")[1])["$schema"].startswith("https://json-schema.org/")


def test_a_terminal_gets_a_table_with_whole_ids(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However narrow it is, no UUID is cut."""
    store.add(server(1, name="a long name " * 10, project_id="3d1b0f6c8e2a4975b6d7c8e9f0a1b2c3"))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert uuid(1) in run("list")[1]


def test_ten_thousand_are_listed(run: Run, store: Store) -> None:
    """A row each, and a heading."""
    store.add_all([server(number) for number in range(10_000)])
    assert run("list")[1].count("\n") == 10_001
