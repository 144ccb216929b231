"""The record of names beside the lab: what its Nova and Neutron take, read live."""

import json
import subprocess
from functools import cache
from typing import Any

import pytest

from firstlight.conf.names import recorded, releases
from lab import environment

_INSIDE = environment.BUILDER.with_name("record_options_inside.py")
_SECTIONS = {
    "nova": (
        "DEFAULT api api_database cache database neutron oslo_middleware vendordata_dynamic_auth"
        " wsgi"
    ),
    "neutron": "DEFAULT agent metadata_rate_limiting ovn ovs",
}


@cache
def _live(project: str) -> dict[tuple[str, str], Any]:
    done = subprocess.run(
        [
            *(environment.needed() / "bin" / "python", "-P", _INSIDE),
            *(project, *_SECTIONS[project].split()),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {(group, name): said for group in found for name, said in found[group].items()}


@pytest.mark.parametrize("project", ["nova", "neutron"])
def test_no_name_is_unknown(project: str) -> None:
    newest = releases(project)[-1]
    known = {
        name: [[list(old) for old in spans[-1].formerly], spans[-1].default]
        for name, spans in recorded(project).items()
        if spans[-1].last == newest
    }
    live = _live(project)
    assert len(live) > 100
    assert live.keys() - known.keys() == set()
    assert {name: said[0] for name, said in live.items()} == {name: known[name][0] for name in live}
