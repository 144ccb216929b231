"""``firstlight check`` on real Nova's databases, real Neutron and Keystone, whole and broken."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lab.kinds.kind import PROJECT
from lab.network.outages import HERE, THERE, Pair, World

FIRSTLIGHT = Path(sys.executable).parent / "firstlight"
NOBODY = "00000000-0000-4000-8000-00000000dead"


class Check:
    """Runs the command with the files that ours was started from, and more options."""

    def __init__(self, world: World, directory: Path) -> None:
        home = world.directory / "ours"
        self._files = [
            world.directory / "here" / "nova.conf",
            home / "ours.conf",
            home / "where.conf",
        ]
        self._more = directory / "more.conf"

    def __call__(self, more: str = "", *arguments: str) -> dict[str, Any]:
        self._more.write_text(more)
        files = [f"--config-file={file}" for file in (*self._files, self._more)]
        done = subprocess.run(
            [FIRSTLIGHT, "check", "--json", *files, *arguments],
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.stderr == ""
        assert "firstlight-lab" not in done.stdout  # every password here
        found = json.loads(done.stdout)
        assert done.returncode == int(not found["ok"])
        return {step["name"]: step for step in found["steps"]}


@pytest.fixture
def check(world: World, pair: Pair, tmp_path: Path) -> Iterator[Check]:
    """With both services running."""
    yield Check(world, tmp_path)


def verdicts(steps: dict[str, Any], verdict: str) -> list[str]:
    return [name for name, step in steps.items() if step["verdict"] == verdict]


def worst(step: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in step["findings"] if one["verdict"] == step["verdict"])


def section(name: str, **options: str) -> str:
    return f"[{name}]\n" + "".join(f"{option} = {value}\n" for option, value in options.items())


def test_all_is_well(check):
    """Every step of the road, down to a signed request to the running service."""
    steps = check("", "--instance", THERE.instance["uuid"])
    assert [name for name in steps if not name.startswith("cache 127.0.0.1")] == [
        "configuration",
        "Nova's release",
        "options in vain",
        "log",
        "shared secret",
        "API database",
        "cell cell0",
        "cell cell1",
        "cell cell2",
        "instance",
        "Keystone for Neutron",
        "Neutron",
        "security groups",
        "shared cache",
        "Keystone for targets",
        "target site",
        "metadata service",
        "status",
        "signed request",
    ]
    assert verdicts(steps, "ok") == list(steps), steps
    assert f"project {PROJECT}" in steps["instance"]["findings"][0]["said"]


def test_one_cells_database_is_away(check, world):
    """The others are looked at all the same, and it is said where its URL stands."""
    world.mariadb.stop()
    try:
        steps = check()
    finally:
        world.mariadb.start()
    assert verdicts(steps, "broken") == ["cell cell2"]
    found = worst(steps["cell cell2"])
    assert found["place"]["option"] == "cell_mappings.database_connection"
    assert "is the server up" in found["remedy"]


def test_a_user_with_the_role_service_alone(check, world):
    """Neutron shows it ports and hides groups: guests would see none, and nothing would fail."""
    credentials = world.cloud.keystone.credentials("nova", "service")
    steps = check(section("neutron", **credentials))
    assert verdicts(steps, "broken") == ["security groups"]
    assert "role admin" in worst(steps["security groups"])["remedy"]


def test_a_wrong_password(check):
    """Keystone's refusal is one broken step; what needs its token is not tried."""
    steps = check(section("neutron", password="wrong"))
    assert verdicts(steps, "broken") == ["Keystone for Neutron"]
    assert verdicts(steps, "not tried") == ["Neutron", "security groups"]
    assert worst(steps["Keystone for Neutron"])["place"]["file"].endswith("more.conf")


def test_a_wrong_region(check):
    """The catalog has no such endpoint, and the option is named."""
    steps = check(section("neutron", region_name="elsewhere", endpoint_override=""))
    assert verdicts(steps, "broken") == ["Neutron"]
    assert worst(steps["Neutron"])["place"]["option"] == "[neutron] region_name"


def test_an_api_database_that_is_none(check, world):
    """The cell's URL in its place is recognised."""
    cell = f"sqlite:///{world.directory}/here/cell1.sqlite"
    steps = check(section("api_database", connection=cell))
    assert verdicts(steps, "broken") == ["API database"]
    assert not [name for name in steps if name.startswith("cell ")]


def test_an_instance_that_is_none(check):
    """Its guest is answered with 404, and that is said."""
    steps = check("", "--instance", NOBODY)
    assert verdicts(steps, "broken") == ["instance"]


def test_nothing_is_written(check, world):
    """Not even the EC2 numbers that a guest's first question would be given."""
    path = world.directory / "here" / "cell1.sqlite"

    def numbers() -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(
                "SELECT (SELECT count(*) FROM instance_id_mappings),"
                " (SELECT count(*) FROM s3_images)"
            ).fetchall()

    before = numbers()
    check("", "--instance", HERE.instance["uuid"])
    assert numbers() == before
