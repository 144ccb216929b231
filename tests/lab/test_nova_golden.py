"""Real Nova, asked again: the golden files are still what it says."""

from pathlib import Path

import pytest

from lab import golden
from lab.environment import NoLab, lab
from lab.kinds.table import KINDS
from lab.paths import paths
from lab.recording import Lab, a_lab, ask_all
from lab.refusals import ask_refusals
from lab.settings import DEFAULT, DRESSED
from support.parts import absent

# One of each sort; tools/record-golden asks all of them.
AGAIN = ("minimal", "full", "static-dual", "ipv6-modes", "device-buses", "injected")
VERSIONS = {"ec2": ("1.0", "2009-04-04"), "openstack": ("2012-08-10", "2018-08-27", "latest")}


@pytest.fixture(scope="module")
def environment() -> Path:
    """The lab's virtual environment."""
    try:
        return lab()
    except NoLab as reason:
        absent(str(reason))


@pytest.fixture(scope="module")
def real(environment):
    """Real Nova with the servers made by its own objects."""
    with a_lab(environment, [KINDS[name] for name in AGAIN]) as found:
        yield found


@pytest.fixture(scope="module")
def service(real: Lab):
    """The port of real Nova under default settings."""
    with real.serving(DEFAULT) as port:
        yield port


@pytest.mark.parametrize("name", AGAIN)
def test_nova_still_says_so(name, service):
    """Every path of some versions gives the recorded reply."""
    recorded = golden.replies_from_json(golden.read(name))
    replies = ask_all(service, KINDS[name], paths(KINDS[name], **VERSIONS), slash=False)
    assert {path: reply for path, reply in replies.items() if recorded[path] != reply} == {}


def test_nova_still_refuses_so(service):
    """Every refusal is the recorded one."""
    recorded = golden.named_from_json(golden.read("refusals")["replies"])
    assert ask_refusals(service, KINDS["full"]) == recorded


def test_vendor_data_is_still_so(real):
    """With both providers and thirteen targets, good and bad."""
    recorded = golden.replies_from_json(golden.read("full.dressed"))
    asked = [f"/openstack/{version}/vendor_data2.json" for version in ("2016-10-06", "latest")]
    with real.serving(DRESSED) as port:
        replies = ask_all(port, KINDS["full"], asked, slash=False)
    assert replies == {path: recorded[path] for path in asked}
