"""An instance that is a partition on a served HMC, and the provider that tells of its NICs.

A conftest.py takes the fixtures by importing them.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import firstlight_guest.dpm
import jsonschema
import pytest
from firstlight_guest.dpm.nics import cards as read_by_the_guest

from firstlight.vendordata.contract import Provider
from firstlight.vendordata.testing import a_context
from firstlight_dpm import names
from firstlight_dpm.backing import Backing
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import Served, serve
from plugging import Subset, login_of
from support.providers.made_providers import INSTANCE, Made

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


def told(provider: Provider) -> Any:
    """What the instance is told: the contract's list, which the guest's own reader takes."""
    answer = provider.provide(a_context(instance_id=INSTANCE))
    if answer is None:
        return None
    assert list(answer) == ["nics"]
    jsonschema.validate(answer["nics"], SCHEMA)
    assert len(read_by_the_guest(answer)) == len(answer["nics"])
    return answer["nics"]
