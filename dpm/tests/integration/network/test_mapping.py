"""Mappings are resolved on the machine, and a line that cannot work is named."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import Unreachable
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.mock import Served
from firstlight_dpm.network.agent.mapping import BadMapping, resolve
from firstlight_dpm.options import NetworkPort

Connect = Callable[..., Hmc]


def line(machine: Any, name: str, port: str = "0", physnet: str = "net") -> NetworkPort:
    """What an operator maps."""
    return NetworkPort(physnet, machine.id(name), port)


def test_every_port(served: Served, connect: Connect) -> None:
    """OSA, its second port, HiperSockets: the switch on the port, or on a z17 the port itself."""
    machine = served.machine
    ports = [("osa-1", "0"), ("osa-2", "0"), ("osa-2", "1"), ("hipersockets-1", "0")]
    lines = [line(machine, *port, physnet="/".join(port)) for port in ports]
    found = resolve(connect(served).cpc(), lines, adapter_ports=machine.adapter_ports)
    if machine.adapter_ports:
        assert found == {one.physnet: Backing(one.adapter, one.port) for one in lines}
    else:
        switches = [machine.id(f"{one.physnet}/virtual-switch") for one in lines]
        names = [one.physnet for one in lines]
        assert found == dict(zip(names, map(Backing, switches), strict=True))


@pytest.mark.parametrize("served", ["z17"], indirect=True)
def test_network_express(served: Served, connect: Connect) -> None:
    """A z17's own network card may be mapped."""
    mapped = line(served.machine, "express-1")
    found = resolve(connect(served).cpc(), [mapped], adapter_ports=True)
    assert found == {"net": Backing(mapped.adapter, "0")}


@pytest.mark.parametrize(
    ("name", "port", "complaint"),
    [
        ("no-such", "0", "the machine has no adapter"),
        ("osa-1", "1", "has no port 1"),
        ("fcp-1", "0", "is of type fcp"),
        ("fcp-3", "0", "is of type not-configured"),
    ],
)
def test_bad_lines(served: Served, connect: Connect, name: str, port: str, complaint: str) -> None:
    """What is not there, or is no network adapter, stops the agent with the line."""
    bad = line(served.machine, name, port)
    with pytest.raises(BadMapping, match=complaint) as caught:
        resolve(connect(served).cpc(), [bad], adapter_ports=served.machine.adapter_ports)
    assert f"[dpm] physical_network_adapter_mappings: {bad}" in str(caught.value)


def test_no_virtual_switch(z13: Served, connect: Connect) -> None:
    """A port without a virtual switch can have no NIC."""
    switches = z13.console.mock.hmc.cpcs.list()[0].virtual_switches
    switches.remove(z13.machine.id("osa-1/0/virtual-switch"))
    with pytest.raises(BadMapping, match="has no virtual switch"):
        resolve(connect(z13).cpc(), [line(z13.machine, "osa-1")], adapter_ports=False)


def test_contradictions(z13: Served, connect: Connect) -> None:
    """Nothing mapped, a network twice, and a port twice are refused before anybody is asked."""
    one, other = line(z13.machine, "osa-1"), line(z13.machine, "osa-2")
    cpc = connect(z13).cpc()
    for lines, complaint in (
        ([], "there is no network for partitions"),
        ([one, other], "has net twice"),
        ([one, one._replace(physnet="other")], f"{one.adapter}:0 twice"),
    ):
        with pytest.raises(BadMapping, match=complaint):
            resolve(cpc, lines, adapter_ports=False)
    assert not z13.console.requests


@pytest.mark.parametrize("served", ["z17"], indirect=True)
def test_partition_links(
    served: Served, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """HiperSockets on a machine with partition links are used, and the log says what is unsure."""
    caplog.set_level(logging.WARNING)
    cpc = served.console.mock.hmc.cpcs.list()[0]
    cpc.api_features.append("dpm-hipersockets-partition-link-management")
    mapped = [line(served.machine, "hipersockets-1"), line(served.machine, "osa-1", physnet="osa")]
    assert set(resolve(connect(served).cpc(), mapped, adapter_ports=True)) == {"net", "osa"}
    assert [record.args for record in caplog.records if "partition links" in record.message] == [
        ("[dpm] physical_network_adapter_mappings", mapped[0])
    ]


def test_hmc_away(z13: Served, connect: Connect) -> None:
    """A machine that cannot be asked is another matter than a bad line."""
    hmc = connect(z13, port=1)
    unknown = NetworkPort("net", str(uuid4()), "0")
    with pytest.raises(Unreachable, match="looking for the adapters"):
        resolve(hmc.cpc(), [unknown], adapter_ports=False)
