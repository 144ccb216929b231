"""``dpm_nics``: what the HMC shows of a partition's NICs is what its guest is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Context, Provider, ProviderFailed
from firstlight.vendordata.loading import load_providers
from firstlight.vendordata.testing import ProviderSuite, a_context
from firstlight_dpm import names
from firstlight_dpm.mock import MACHINES, Served, serve
from firstlight_dpm.mock.faults import Fault
from support.cloud.dpm_partitions import MACS, PORTS, Site, site_on, told
from support.cloud.stand_ins import CloudStandIn
from support.providers.made_providers import INSTANCE, loaded


@pytest.fixture(params=list(MACHINES))
def every(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """On a machine of each generation."""
    yield from site_on(request.param, tmp_path)


class TestSuite(ProviderSuite):
    """It keeps the contract of providers."""

    @pytest.fixture
    def provider(self, on: Callable[..., Provider], site: Site) -> Provider:
        site.plug(0)
        return on(site.file)

    @pytest.fixture
    def known(self) -> Context:
        return a_context(instance_id=INSTANCE)

    @pytest.fixture
    def failing(self, on: Callable[..., Provider], site: Site, tmp_path: Path) -> Provider:
        return on(site.write(tmp_path / "away.conf", hmc_port="9"))

    def test_it_is_ready(self, provider: Provider) -> None:
        """While the HMC shows the machine."""
        provider.ready()

    def test_it_is_not_ready(self, failing: Provider) -> None:
        """While it does not, in a sentence that names the option."""
        with pytest.raises(ProviderFailed, match="hmc and hmc_port name an HMC that is up"):
            failing.ready()


def test_every_machine(every: Site, on: Callable[..., Provider], cloud: CloudStandIn) -> None:
    """Each NIC with its device number, its adapter's port, its MAC address, and its network."""
    cloud.ports = [
        {"id": port, "device_id": INSTANCE, "created_at": "", "network_id": f"net-{number}"}
        for number, port in enumerate(PORTS[:2])
    ]
    every.plug(0)
    every.plug(1, "osa-2", "1")
    every.plug(2, "hipersockets-1")
    assert told(on(every.file)) == [
        {
            "devno": "0001",
            "port": 0,
            "mac": MACS[0],
            "port_id": PORTS[0],
            "network_id": "net-0",
        },
        {
            "devno": "0004",
            "port": 1,
            "mac": MACS[1],
            "port_id": PORTS[1],
            "network_id": "net-1",
        },
        {"devno": "0007", "port": 0, "mac": MACS[2], "port_id": PORTS[2]},
    ]


def test_without_neutron(site: Site, on: Callable[..., Provider], cloud: CloudStandIn) -> None:
    """With networks = false, Neutron is not asked."""
    site.plug(0)
    [card] = told(on(site.file, more="networks = false", url="http://127.0.0.1:9"))
    assert "network_id" not in card
    assert not cloud.asked


def test_neutron_away(site: Site, on: Callable[..., Provider], cloud: CloudStandIn) -> None:
    """Else a Neutron that is away is a failure, and not half an answer."""
    site.plug(0)
    cloud.status = 503
    with pytest.raises(ProviderFailed):
        told(on(site.file))


def test_ready_with_neutron(site: Site, on: Callable[..., Provider], cloud: CloudStandIn) -> None:
    """Whoever asks Neutron is ready if Neutron answers."""
    cloud.status = 503
    with pytest.raises(ProviderFailed):
        on(site.file).ready()
    on(site.file, more="networks = false").ready()


def test_whom_it_asks(site: Site, on: Callable[..., Provider], tmp_path: Path) -> None:
    """Neutron, unless told not to, and each HMC by its address."""
    other = site.write(tmp_path / "other.conf", hmc="192.0.2.1,192.0.2.2")
    hmcs = ["partitions on HMC 127.0.0.1", "partitions on HMC 192.0.2.1 or 192.0.2.2"]
    assert on(site.file, other, site.file).asks() == ["Neutron ports", *hmcs]
    assert on(site.file, other, more="networks = false").asks() == hmcs


def test_more_than_twelve(site: Site, on: Callable[..., Provider]) -> None:
    """There are as many as there are, in the order of their numbers, in either case."""
    for number in range(30):
        described = names.nic_description("sub1", f"fa:16:3e:00:01:{number:02x}")
        port = str(uuid4())
        site.subset.nic(site.partition, site.backing("osa-1"), port, description=described)
    devnos = [card["devno"] for card in told(on(site.file))]
    assert devnos == [f"{1 + 3 * number:04x}" for number in range(30)]


def test_nothing_to_say(site: Site, on: Callable[..., Provider]) -> None:
    """A partition without NICs, one whose NICs are all an operator's, and no partition."""
    provider = on(site.file)
    assert told(provider) is None
    site.subset.nic(site.partition, site.backing("osa-1"), name="management")
    assert told(provider) is None
    for other in (str(uuid4()), INSTANCE[:-1], f"{INSTANCE}0", ".*", ""):
        assert provider.provide(a_context(instance_id=other)) is None


@pytest.mark.parametrize("machine", ["z14", "z16"])
def test_vlan(machine: str, tmp_path: Path, on: Callable[..., Provider]) -> None:
    """A VLAN that the machine enforces is none of the guest's business; another is."""
    for site in site_on(machine, tmp_path):
        tagged: dict[str, Any] = {"vlan-id": 99}
        site.plug(0, **tagged, **{"vlan-type": "enforced"})
        site.plug(1, **tagged)
        vlans = [card.get("vlan") for card in told(on(site.file))]
        assert vlans == [None, 99]


def test_address_of_the_machine(tmp_path: Path, on: Callable[..., Provider]) -> None:
    """Where a description was edited, the MAC address that the machine gave counts."""
    for site in site_on("z14", tmp_path):
        site.plug(0, description="edited", **{"mac-address": "02:FF:12:00:00:01"})
        assert [card["mac"] for card in told(on(site.file))] == ["02:ff:12:00:00:01"]


def test_no_address(site: Site, on: Callable[..., Provider], caplog: Any) -> None:
    """A NIC whose address nobody knows is left out, and the log says which."""
    site.plug(0, description="edited")
    site.plug(1)
    assert [card["port_id"] for card in told(on(site.file))] == [PORTS[1]]
    assert f"the NIC of port {PORTS[0]} has no MAC address" in caplog.text


def test_pci_functions(tmp_path: Path, on: Callable[..., Provider]) -> None:
    """A Network Express card's own kind of NIC is a PCI function; Linux finds it by itself."""
    for site in site_on("z17", tmp_path):
        site.plug(0, "express-1", type="neth")
        site.plug(1, "express-1", type="osh")
        assert [card["port_id"] for card in told(on(site.file))] == [PORTS[1]]


class TestSeveralMachines:
    """One file for each."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[Served]:
        (tmp_path / "other").mkdir()
        with serve("z14", tmp_path / "other") as served:
            yield served

    @pytest.fixture
    def files(self, site: Site, other: Served, tmp_path: Path) -> list[Path]:
        """The instance is on the second."""
        site.plug(0)
        return [site.write(tmp_path / "other.conf", **other.options), site.file]

    def test_found(self, files: list[Path], on: Callable[..., Provider]) -> None:
        """It is looked for on each."""
        assert len(told(on(*files))) == 1

    def test_another_is_away(
        self, files: list[Path], other: Served, on: Callable[..., Provider]
    ) -> None:
        """An HMC that is away is no matter if another has the instance, and a failure if none."""
        other.console.faults.add(Fault(drop=True))
        provider = on(*files)
        assert len(told(provider)) == 1
        with pytest.raises(ProviderFailed, match=f"^{files[0]}: looking for the partition"):
            provider.provide(a_context(instance_id=str(uuid4())))

    @pytest.mark.parametrize("ask", ["ready", "provide"])
    def test_a_machine_that_is_not_there(
        self, ask: str, files: list[Path], site: Site, on: Callable[..., Provider]
    ) -> None:
        """The file, the option, and no word of an HMC that is away, because it has answered."""
        files[1] = site.write(site.file, cpc_object_id=str(uuid4()))
        provider = on(*files)
        with pytest.raises(ProviderFailed) as caught:
            provider.ready() if ask == "ready" else told(provider)
        said = str(caught.value)
        assert said.startswith(f"{site.file}: looking for ")
        assert "the HMC shows no such machine; see [dpm] cpc_object_id" in said
        assert said.count("; see ") == 1

    def test_a_machine_that_is_down(
        self, files: list[Path], site: Site, on: Callable[..., Provider]
    ) -> None:
        """It is the machine's status that matters, and nothing else is advised."""
        known = site.served.console.resource(f"/api/cpcs/{site.served.machine.cpc}")
        known.properties["status"] = "no-power"
        with pytest.raises(ProviderFailed) as caught:
            on(*files).ready()
        said = str(caught.value)
        assert said.startswith(f"{site.file}: ")
        assert said.endswith("the machine is no-power; see the machine's status on the HMC.")


def test_two_partitions(site: Site, on: Callable[..., Provider]) -> None:
    """Two partitions of one instance: nobody knows which one asks, so nobody is told."""
    site.plug(0)
    site.subset.partition(names.partition_name("sub2", INSTANCE))
    with pytest.raises(ProviderFailed, match=f"^{site.file}: several partitions"):
        told(on(site.file))


def test_it_only_looks(site: Site, on: Callable[..., Provider]) -> None:
    """A user of the HMC who may only read is enough."""
    site.plug(0)
    asked = len(site.served.console.requests)
    told(on(site.file))
    methods = {method for method, _ in site.served.console.requests[asked:]}
    changing = {uri for method, uri in site.served.console.requests[asked:] if method != "GET"}
    assert methods == {"GET", "POST"}
    assert changing == {"/api/sessions"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("", "config_files is empty"),
        ("config_files = /nowhere/nova_dpm.conf", "/nowhere/nova_dpm.conf"),
        ("config_files = {empty}", "set hmc, hmc_username, hmc_password, cpc_object_id"),
        ("config_files = {odd}", "is not a DPM object id"),
    ],
)
def test_refused_starts(options: str, complaint: str, tmp_path: Path) -> None:
    """A file that cannot work stops the service, by its name."""
    files = {"empty": tmp_path / "empty.conf", "odd": tmp_path / "odd.conf"}
    files["empty"].write_text("[dpm]\n")
    files["odd"].write_text(
        "[dpm]\nhmc = a\nhmc_username = b\nhmc_password = c\ncpc_object_id = machine-1\n"
    )
    text = f"[DEFAULT]\nproviders = dpm_nics\n[provider:dpm_nics]\n{options.format(**files)}\n"
    with pytest.raises(ConfigError, match="provider dpm_nics") as caught:
        load_providers(loaded(text), None)  # type: ignore[arg-type]
    assert complaint in str(caught.value)
