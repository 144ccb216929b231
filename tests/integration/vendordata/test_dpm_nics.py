"""``dpm_nics``: what the HMC shows of a partition's NICs is what its guest is told."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import firstlight_guest.dpm
import jsonschema
import pytest
import requests
from firstlight_guest.dpm.nics import cards as read_by_the_guest

from agent_process import FIRSTLIGHT, SERVICE, metadata_service, running
from drives import rock_ridge
from firstlight.conf import ConfigError
from firstlight.sources.store import Store
from firstlight.vendordata.contract import Context, Provider, ProviderFailed
from firstlight.vendordata.loading import load_providers
from firstlight.vendordata.testing import ProviderSuite, a_context
from firstlight_dpm import names
from firstlight_dpm.backing import Backing
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import MACHINES, Served, serve
from firstlight_dpm.mock.faults import Fault
from guest_tools.dpm_stub import Stub
from guest_tools.pythons import ROOT
from made_providers import INSTANCE, Made, loaded
from metadata_bench import signed
from plugging import Subset, login_of
from servers import eventually, free_port
from stand_ins import CloudStandIn
from store_samples import server
from vendordata_service import Serve

SCHEMA = json.loads(
    (Path(firstlight_guest.dpm.__file__).parent / "dpm_nics.schema.json").read_text()
)
PORTS = [f"{n}1111111-2222-3333-4444-555555555555" for n in range(3)]
MACS = [f"fa:16:3e:00:00:0{n}" for n in range(3)]


class Site:
    """A served machine on which the instance is a partition."""

    def __init__(self, served: Served, hmc: Hmc, directory: Path) -> None:
        self.served = served
        self.subset = Subset(hmc)
        self.partition = self.subset.partition(names.partition_name("sub1", INSTANCE))
        self.file = directory / "nova_dpm.conf"
        self.write(self.file)

    def write(self, path: Path, **more: str) -> Path:
        """An operator's file with a section [dpm]."""
        values = {**self.served.options, **more}
        lines = [f"{name} = {value}" for name, value in values.items()]
        path.write_text("\n".join(["[DEFAULT]", "host = sub1", "[dpm]", *lines, ""]))
        return path

    def backing(self, name: str, port: str = "0") -> Backing:
        """What a NIC on this adapter is plugged into."""
        machine = self.served.machine
        if machine.adapter_ports:
            return Backing(machine.id(name), port)
        return Backing(machine.id(f"{name}/{port}/virtual-switch"))

    def plug(self, number: int, name: str = "osa-1", port: str = "0", **more: Any) -> None:
        """A NIC as the Nova driver makes it."""
        described = names.nic_description("sub1", MACS[number])
        properties = {"description": described, **more}
        self.subset.nic(self.partition, self.backing(name, port), PORTS[number], **properties)


def site_on(machine: str, directory: Path) -> Iterator[Site]:
    with serve(machine, directory) as served:
        hmc = Hmc(login_of(served))
        yield Site(served, hmc, directory)
        hmc.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """On a z13, whose guests need this."""
    yield from site_on("z13", tmp_path)


@pytest.fixture(params=list(MACHINES))
def every(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """On a machine of each generation."""
    yield from site_on(request.param, tmp_path)


@pytest.fixture
def on(made: Made) -> Iterator[Callable[..., Provider]]:
    """The provider as the service makes it, for that site's file."""
    opened: list[Provider] = []

    def provider(*files: Path, more: str = "", **how: Any) -> Provider:
        named = ",".join(map(str, files))
        opened.append(made("dpm_nics", f"config_files = {named}\n{more}", **how))
        return opened[-1]

    yield provider
    for one in opened:
        one.close()


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


def told(provider: Provider) -> Any:
    """What the instance is told: the contract's list, which the guest's own reader takes."""
    answer = provider.provide(a_context(instance_id=INSTANCE))
    if answer is None:
        return None
    assert list(answer) == ["nics"]
    jsonschema.validate(answer["nics"], SCHEMA)
    assert len(read_by_the_guest(answer)) == len(answer["nics"])
    return answer["nics"]


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
        with pytest.raises(ProviderFailed, match="could not tell"):
            provider.provide(a_context(instance_id=str(uuid4())))


def test_two_partitions(site: Site, on: Callable[..., Provider]) -> None:
    """Two partitions of one instance: nobody knows which one asks, so nobody is told."""
    site.plug(0)
    site.subset.partition(names.partition_name("sub2", INSTANCE))
    with pytest.raises(ProviderFailed, match="Several partitions"):
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


_TARGET = """
[api]
vendordata_providers = DynamicJSON
vendordata_dynamic_targets = dpm_nics@{url}/providers/dpm_nics
"""


def test_the_road(site: Site, serve: Serve, tmp_path: Path) -> None:
    """HMC, vendordata service, metadata service: a guest finds its cards in vendor_data2.json."""
    site.plug(0)
    site.plug(1, "osa-2", "1")
    service = serve(
        "auth_strategy = noauth\nproviders = dpm_nics",
        f"[provider:dpm_nics]\nconfig_files = {site.file}\nnetworks = false",
    )
    store = f"sqlite:///{tmp_path}/store.sqlite"
    opened = Store.open(store)
    opened.prepare()
    opened.add(server(uuid=INSTANCE, project_id="p"))
    opened.close()
    port = free_port()
    text = SERVICE.format(port=port, status=free_port(), store=store)
    text += _TARGET.format(url=service.url)

    url = f"http://127.0.0.1:{port}/openstack/latest/vendor_data2.json"

    def cards_told() -> Any:
        answer = requests.get(url, headers=signed(INSTANCE, secret="s3cret"), timeout=60).json()
        return answer.get("dpm_nics")

    with running(tmp_path, "metadata", text):
        assert eventually(lambda: bool(cards_told()), 60)  # a busy machine may be too late at first
        answer = cards_told()
    assert answer["nics"] == [
        {"devno": "0001", "port": 0, "mac": MACS[0], "port_id": PORTS[0]},
        {"devno": "0004", "port": 1, "mac": MACS[1], "port_id": PORTS[1]},
    ]
    brought_up = [str(card) for card in read_by_the_guest(answer)]
    assert brought_up == ["0001,0,fa163e000000;", "0004,1,fa163e000001;"]


def test_on_a_config_drive(site: Site, on: Callable[..., Provider], tmp_path: Path) -> None:
    """The same cards in meta_data.json of a config drive: the guest's tool brings them up."""
    site.plug(0)
    site.plug(1, "osa-2", "1")
    (tmp_path / "more.json").write_text(json.dumps({"dpm_nics": told(on(site.file))}))
    with metadata_service(tmp_path, server(uuid=INSTANCE)):
        words = ["config-drive", INSTANCE, "-o", "drive", "--config-file", "metadata.conf"]
        run([FIRSTLIGHT, *words, "--extra-metadata", "more.json"], tmp_path)
    rock_ridge(tmp_path / "drive", tmp_path / "mounted")
    guest = Stub(tmp_path / "root")
    guest.cmdline("")
    for name in ("chzdev", "ip"):
        guest.program(name)
    for devno in ("0001", "0004"):
        (guest.root / f"sys/bus/ccwgroup/devices/0.0.{devno}/net/enc{devno}").mkdir(parents=True)
    words = ["network", "--rest", "--from", "drive", "--drive", tmp_path / "mounted"]
    run([sys.executable, "-m", "firstlight_guest", "--root", guest.root, *words], ROOT / "guest")
    assert guest.calls() == [
        f"ip link set enc0001 address {MACS[0]}",
        f"ip link set enc0004 address {MACS[1]}",
    ]


def run(command: list[Any], directory: Path) -> None:
    """Run it to its end, which is a good one."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
