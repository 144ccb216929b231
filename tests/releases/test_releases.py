"""Older Novas and ours side by side on one MariaDB, in two cells, each made by that Nova itself.

`make test-releases` runs this and `make test` does not: each release has an environment of its own
(requirements/nova-*.in), and building them takes minutes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import pytest

from firstlight import conf
from firstlight.sources.nova import open_nova
from lab.asking import Client, Reply, signed
from lab.beside import Ports, both, differences, ours_beside
from lab.environment import NoLab, nova_release, older
from lab.kinds.kind import Kind
from lab.nova import SECRET
from lab.on_mariadb import FITTING, empty_databases
from lab.paths import OPENSTACK
from lab.recording import Lab, a_lab, ask_all
from lab.refusals import ask_refusals
from lab.settings import DEFAULT, DRESSED
from support.parts import absent
from support.servers.databases import mariadb  # noqa: F401  (a fixture)

RELEASES = (27, 29, 31, 33)
# metadata-api §1.4: the one version of the API that came after Nova 27, with the shares of Nova 31.
NEWEST, SINCE = "2025-04-04", 31
VERSION_LISTS = ("/openstack", "/openstack/", "/openstack//")


class Release(NamedTuple):
    """One Nova with servers of all kinds that it can have."""

    number: int
    real: Lab
    kinds: Mapping[str, Kind]


@pytest.fixture(scope="module", params=RELEASES, ids="nova-{}".format)
def release(request, mariadb) -> Iterator[Release]:  # noqa: F811  (the fixture)
    """Its databases made by its own nova-manage, its servers by its own objects."""
    number = request.param
    try:
        environment = older(number)
    except NoLab as reason:
        absent(str(reason))
    assert nova_release(environment).startswith(f"{number}.")
    urls = empty_databases(mariadb, f"nova{number}", cells=2)
    kinds = FITTING if number >= SINCE else {n: without_shares(k) for n, k in FITTING.items()}
    with a_lab(environment, kinds.values(), databases=urls, cells=2) as real:
        yield Release(number, real, kinds)


def without_shares(kind: Kind) -> Kind:
    """The same server where shares cannot be attached yet."""
    devices = [d for d in kind.instance.get("devices", ()) if d["type"] != "share"]
    return replace(kind, instance={**kind.instance, "devices": devices})


@pytest.fixture(scope="module")
def ports(release, tmp_path_factory) -> Iterator[Ports]:
    """That Nova's port and ours; ours reads its nova.conf."""
    with both(release.real, tmp_path_factory.mktemp("ours")) as found:
        yield found


@pytest.mark.parametrize("name", FITTING)
def test_no_guest_can_tell(name, release, ports):
    """Every path of every version that Nova has gives the same status, type and body."""
    versions = [v for v in OPENSTACK if v != NEWEST or release.number >= SINCE]
    found = differences(ports, release.kinds[name], openstack=versions)
    if release.number < SINCE:
        for path in VERSION_LISTS:
            theirs, mine = found.pop(path)
            assert mine == replace(theirs, body=with_newest(theirs.body))
    assert found == {}


def with_newest(versions: bytes) -> bytes:
    """The list with the version that came later."""
    return versions.replace(b"latest", f"{NEWEST}\nlatest".encode())


def test_refusals_are_the_same(release, ports):
    """Missing headers, wrong signatures and tenants, unknown instances, methods."""
    kind = release.kinds["full"]
    assert ask_refusals(ports.ours, kind) == ask_refusals(ports.novas, kind)


def test_vendor_data_is_the_same(release, tmp_path):
    """StaticJSON and thirteen targets, good and bad; the targets are asked the same."""
    kind, real = release.kinds["full"], release.real
    asked = [f"/openstack/latest/{name}" for name in ("vendor_data.json", "vendor_data2.json")]
    with real.serving(DRESSED) as novas, ours_beside(real, tmp_path) as ours:
        theirs = ask_all(novas, kind, asked, slash=False)
        requests = real.asked()
        assert ask_all(ours, kind, asked, slash=False) == theirs
        assert real.asked() == requests


def test_a_password_posted_to_ours_is_novas(release, ports):
    """What a guest posts to us, that Nova shows."""
    kind = release.kinds["minimal"]
    post(ports.ours, kind, b"secret" * 100)
    with release.real.serving(DEFAULT) as fresh:
        assert read_password(fresh, kind) == Reply(200, "text/html; charset=UTF-8", b"secret" * 100)


def post(service: int, kind: Kind, password: bytes) -> None:
    with Client(service) as client:
        reply = client.ask(PASSWORD, headers(kind), method="POST", body=password)
    assert reply.status == 200


def read_password(service: int, kind: Kind) -> Reply:
    with Client(service) as client:
        return client.ask(PASSWORD, headers(kind))


PASSWORD = "/openstack/latest/password"


def headers(kind: Kind) -> list[tuple[str, str]]:
    ours = kind.instance
    return list(signed(ours["uuid"], ours["project_id"], SECRET, None).items())


@pytest.mark.usefixtures("ports")
def test_its_schemas_are_known(release, caplog):
    """There is nothing to warn of in the databases its own migrations made; cell0 is empty."""
    source = open_nova(conf.load("metadata", [str(release.real.nova_conf)]))
    try:
        assert source.prepare() == []
    finally:
        source.close()
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []
