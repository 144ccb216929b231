"""Real Nova and ours side by side, on the same databases and from the same nova.conf."""

from collections.abc import Iterator

import pytest

from lab.asking import Client, signed
from lab.beside import Ports, both, differences, ours_beside
from lab.environment import needed
from lab.kinds.table import KINDS
from lab.nova import SECRET
from lab.recording import Lab, a_lab, ask_all
from lab.refusals import ask_refusals
from lab.settings import DEFAULT, DRESSED

# The others are asked on MariaDB (test_nova_beside_mariadb).
VERSIONS = {
    "ec2": ("1.0", "2008-02-01", "2009-04-04", "latest"),
    "openstack": ("2012-08-10", "2016-10-06", "2018-08-27", "2025-04-04", "latest"),
}


@pytest.fixture(scope="module")
def real() -> Iterator[Lab]:
    """Real Nova with a server of every kind, made by its own objects."""
    with a_lab(needed(), KINDS.values()) as found:
        yield found


@pytest.fixture(scope="module")
def ports(real, tmp_path_factory) -> Iterator[Ports]:
    """Nova's port and ours; ours reads Nova's own configuration file."""
    with both(real, tmp_path_factory.mktemp("ours")) as found:
        yield found


@pytest.mark.parametrize("name", KINDS)
def test_no_guest_can_tell(name, ports):
    """Every path of every document gives the same status, type and body."""
    assert differences(ports, KINDS[name], **VERSIONS) == {}


def test_refusals_are_the_same(ports):
    """Missing headers, wrong signatures and tenants, unknown instances, methods."""
    novas, ours = ports
    assert ask_refusals(ours, KINDS["full"]) == ask_refusals(novas, KINDS["full"])


def test_vendor_data_is_the_same(real, tmp_path):
    """StaticJSON and thirteen targets, good and bad, asked by both from the same file."""
    kind = KINDS["full"]
    asked = [
        f"/openstack/{version}/{name}"
        for version in ("2013-10-17", "2016-10-06", "latest")
        for name in ("vendor_data.json", "vendor_data2.json")
    ]
    with real.serving(DRESSED) as novas, ours_beside(real, tmp_path) as ours:
        theirs = ask_all(novas, kind, asked, slash=False)
        requests = real.asked()
        mine = ask_all(ours, kind, asked, slash=False)
        assert mine == theirs
        assert real.asked() == requests


def test_a_password_posted_to_ours_is_novas(real, ports):
    """What a guest posts to us, Nova's own service shows, and neither takes a second one."""
    _, ours = ports
    kind = KINDS["minimal"]
    headers = signed(kind.instance["uuid"], kind.instance["project_id"], SECRET, None).items()
    path, secret = "/openstack/latest/password", "grüße".encode() * 100
    with Client(ours) as to_us:
        assert to_us.ask(path, headers, method="POST", body=secret).status == 200
        assert to_us.ask(path, headers).body == secret
        assert to_us.ask(path, headers, method="POST", body=b"x").status == 409
    # The Nova of `ports` remembers the server as it was; one that has just started does not.
    with real.serving(DEFAULT) as fresh, Client(fresh) as to_nova:
        assert to_nova.ask(path, headers).body == secret
        assert to_nova.ask(path, headers, method="POST", body=b"x").status == 409


def test_a_boot_asks_for_security_groups_from_neutron(ports):
    """The names are Neutron's, in its order, for a server with four ports."""
    _, ours = ports
    kind = KINDS["security-groups"]
    path = "/latest/meta-data/security-groups"
    reply = ask_all(ours, kind, [path], slash=False)[path]
    assert reply.body.decode().split("\n") == kind.instance["security_groups"]
