"""Which NICs are there: one request, exactly our own, and never gone by mistake."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import zhmcclient

from firstlight_dpm import names
from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import HmcError, Unreachable
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import Served
from firstlight_dpm.mock.faults import Fault
from firstlight_dpm.network.agent.mapping import resolve
from firstlight_dpm.network.agent.nics import Nic, Nics, Reader
from firstlight_dpm.options import NetworkPort
from plugging import MAC, Subset

Connect = Callable[..., Hmc]
PORT = "11111111-2222-3333-4444-555555555555"


class Site(NamedTuple):
    """A served machine, one mapped port of it, another that is not, and who reads."""

    served: Served
    hmc: Hmc
    mapped: Backing
    elsewhere: Backing
    subset: Subset
    reader: Reader

    def nic(self, port: str = PORT, **more: str) -> zhmcclient.Nic:
        """A partition with one NIC."""
        return self.subset.nic(self.subset.partition(), self.mapped, port, **more)

    def read(self, known: Nics | None = None) -> Nics:
        return self.reader.read(known or {})

    def change(self, uri: str, **properties: Any) -> None:
        """On the HMC, by nobody of ours."""
        self.served.console.resource(uri).properties.update(properties)

    def fault(self, **fault: Any) -> None:
        self.served.console.faults.add(Fault(**fault))


def make_site(served: Served, hmc: Hmc) -> Site:
    lines = [NetworkPort(name, served.machine.id(name), "0") for name in ("osa-1", "osa-2")]
    found = resolve(hmc.cpc(), lines, adapter_ports=served.machine.adapter_ports)
    reader = Reader(hmc, "sub1", {found["osa-1"]})
    return Site(served, hmc, found["osa-1"], found["osa-2"], Subset(hmc), reader)


@pytest.fixture
def every(served: Served, connect: Connect) -> Site:
    """A site of each generation."""
    return make_site(served, connect(served))


@pytest.fixture
def site(z13: Served, connect: Connect) -> Site:
    """A site where the generation makes no difference."""
    return make_site(z13, connect(z13))


def test_comes_and_goes(every: Site) -> None:
    """A NIC is there when it was made, under its port, and gone when it was deleted."""
    assert every.read() == {}
    nic = every.nic()
    known = every.read()
    assert known == {PORT: Nic(nic.uri, every.mapped)}
    nic.delete()
    assert every.read(known) == {}


def test_goes_with_its_partition(every: Site) -> None:
    """The NICs of a partition that is deleted are gone."""
    nic = every.nic()
    known = every.read()
    every.hmc.client().session.delete(nic.uri.partition("/nics/")[0])
    assert every.read(known) == {}


def test_one_request(site: Site) -> None:
    """However many partitions and NICs there are, a reading is one request."""
    partitions = [site.subset.partition() for _ in range(3)]
    ports = [str(uuid4()) for _ in range(12)]
    for number, port in enumerate(ports):
        site.subset.nic(partitions[number % 3], site.mapped, port)
    asked = len(site.served.console.requests)
    assert set(site.read()) == set(ports)
    assert site.served.console.requests[asked:] == [("POST", "/api/services/inventory")]


def test_several_networks(site: Site) -> None:
    """NICs on every mapped network count, with what they are plugged into."""
    reader = Reader(site.hmc, "sub1", {site.mapped, site.elsewhere})
    partition = site.subset.partition()
    site.subset.nic(partition, site.mapped, PORT)
    other = str(uuid4())
    site.subset.nic(partition, site.elsewhere, other)
    found = reader.read({})
    assert {port: nic.backing for port, nic in found.items()} == {
        PORT: site.mapped,
        other: site.elsewhere,
    }


def test_elsewhere(site: Site) -> None:
    """A NIC on an adapter that is not mapped is none of ours."""
    site.subset.nic(site.subset.partition(), site.elsewhere, PORT)
    assert site.read() == {}


@pytest.mark.parametrize("other", ["sub", "sub10", "sub1-2", "xsub1", "SUB1"])
def test_two_subsets(site: Site, other: str) -> None:
    """Hosts whose names begin, or end, alike keep to themselves on one machine."""
    theirs = Subset(site.hmc, other)
    theirs.nic(theirs.partition(), site.mapped, str(uuid4()))
    site.nic()
    assert set(site.read()) == {PORT}
    assert len(Reader(site.hmc, other, {site.mapped}).read({})) == 1


def test_dots_in_a_host(site: Site) -> None:
    """A dot in the host is a dot."""
    theirs = Subset(site.hmc, "sub1xa")
    theirs.nic(theirs.partition(), site.mapped, PORT)
    assert Reader(site.hmc, "sub1.a", {site.mapped}).read({}) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"name": "OpenStack_Port_"},
        {"name": f"OpenStack_Port_{PORT}0"},
        {"name": f"xOpenStack_Port_{PORT}"},
        {"name": PORT},
        {"name": "management"},
        {"description": names.nic_description("sub10", MAC)},
        {"description": names.nic_description("another", MAC)},
    ],
    ids=str,
)
def test_nics_of_others(site: Site, more: dict[str, str]) -> None:
    """A NIC that an operator added, or that says it is another subset's, is left alone."""
    site.nic(**more)
    assert site.read() == {}


@pytest.mark.parametrize("description", ["", "Edited on the HMC", f"OpenStack mac={MAC}"])
def test_a_description_was_edited(site: Site, description: str) -> None:
    """The names say whose it is; a description without a subset takes nothing away."""
    site.nic(description=description)
    assert set(site.read()) == {PORT}


@pytest.mark.parametrize("name", ["management", f"OpenStack-sub1-{PORT[:-1]}", f"x{PORT}"])
def test_partitions_of_others(site: Site, name: str) -> None:
    """A NIC in a partition that is not ours does not count, whatever it is called."""
    site.subset.nic(site.subset.partition(name), site.mapped, PORT)
    assert site.read() == {}


def test_another_machine(site: Site) -> None:
    """What another machine of the same HMC has does not count, even for the same host."""
    site.nic()
    site.change(site.hmc.cpc().partitions.list()[0].uri, parent=f"/api/cpcs/{uuid4()}")
    assert site.read() == {}


def test_made_anew(site: Site) -> None:
    """Another NIC for the same port is another NIC."""
    first = site.nic()
    before = site.read()
    first.delete()
    second = site.nic()
    assert site.read(before)[PORT].uri == second.uri != before[PORT].uri


@pytest.mark.parametrize("status", ["not-communicating", "status-check", "no-power", "odd"])
def test_machine_out_of_sight(site: Site, status: str) -> None:
    """While the HMC does not see the machine, nothing of it counts as gone."""
    site.nic()
    known = site.read()
    site.change(site.hmc.cpc().partitions.list()[0].uri, parent="/api/cpcs/none")
    site.change(f"/api/cpcs/{site.served.machine.cpc}", status=status)
    with pytest.raises(Unreachable):
        site.read(known)


def test_machine_not_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An HMC that shows neither NIC nor machine (it was restarted, rights were taken): nothing
    counts as gone."""
    site.nic()
    known = site.read()
    client = site.hmc.client()
    monkeypatch.setattr(client, "get_inventory", lambda _classes: [])
    monkeypatch.setattr(client.cpcs, "list", lambda: [])
    with pytest.raises(Unreachable, match="shows no such machine"):
        site.read(known)


def test_gaps(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the inventory has gaps, each missing NIC is asked for before it counts as gone."""
    kept, gone = site.nic(), str(uuid4())
    deleted = site.nic(gone)
    known = site.read()
    deleted.delete()
    client = site.hmc.client()
    gap = [{"class": "inventory-error", "inventory-error-code": 5}]
    monkeypatch.setattr(client, "get_inventory", lambda _classes: gap)
    assert site.read(known) == {PORT: Nic(kept.uri, site.mapped)}


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"status": 500, "reason": 0},
        {"status": 503, "reason": 1},
        {"status": 409, "reason": 6},
        {"status": 403, "reason": 1},
    ],
    ids=str,
)
def test_cannot_tell(site: Site, fault: dict[str, Any]) -> None:
    """Whatever goes wrong with the reading is an error, and not an empty answer."""
    site.fault(uri="/api/services/inventory", **fault)
    with pytest.raises(HmcError, match="reading the NICs"):
        site.read()


@pytest.mark.parametrize("answer", [None, {}, ["x"], [None]], ids=str)
def test_odd_answers(site: Site, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An inventory that is none is an error."""
    monkeypatch.setattr(site.hmc.client(), "get_inventory", lambda _classes: answer)
    with pytest.raises(HmcError, match="no list of objects"):
        site.read()


def test_session_expired(site: Site) -> None:
    """A session that has expired is begun anew, unseen."""
    site.nic()
    site.served.console.forget_sessions()
    assert set(site.read()) == {PORT}
