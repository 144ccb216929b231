"""Nova's network info cache: interfaces, and the legacy file of injected networks."""

import json
from pathlib import Path

import pytest

from firstlight.instance import Address, Interface, Network, Route, Subnet
from firstlight.sources.nova.records import injected, network

HERE = Path(__file__).parents[1]
ROWS = json.loads((HERE / "nova34_rows.json").read_text())
RENDERED = json.loads((HERE / "nova34_injected.json").read_text())


@pytest.mark.parametrize("column", [None, "", "[]", "null"])
def test_nothing_cached(column):
    """NULL and an empty list are no interfaces."""
    assert network.interfaces(network.decode(column)) == ()


def test_recorded():
    """Everything a document shows of a port."""
    [row] = ROWS["full"]["instance_info_caches"]
    assert (
        Interface(
            port_id="00000002-0000-4000-8000-000000000001",
            mac="fa:16:3e:00:00:01",
            vif_type="ovs",
            device_name="tap00000002-01",
            network=Network(
                id="00000003-0000-4000-8000-000000000001",
                mtu=1450,
                subnets=(
                    Subnet(
                        cidr="10.0.0.0/24",
                        gateway="10.0.0.1",
                        dns=("8.8.8.8", "8.8.4.4"),
                        routes=(Route(cidr="172.16.0.0/16", gateway="10.0.0.9"),),
                        addresses=(Address(address="10.0.0.5", floating=("203.0.113.9",)),),
                    ),
                    Subnet(
                        cidr="2001:db8:1::/64",
                        gateway="2001:db8:1::1",
                        dns=("2001:4860:4860::8888",),
                        addresses=(Address(address="2001:db8:1::5"),),
                    ),
                ),
            ),
        ),
    ) == network.interfaces(network.decode(row["network_info"]))


def test_an_unbound_port():
    """A port without type, device or network is an interface all the same."""
    vif = {"id": "p", "address": "fa:16:3e:00:00:01", "type": None, "network": None}
    [found] = network.interfaces([vif])
    assert (found.vif_type, found.device_name, found.network) == ("unbound", None, None)


def test_dhcp_and_modes():
    """What decides between DHCP, SLAAC and static is in the subnet's `meta`."""
    meta = {"dhcp_server": "10.0.0.2", "enable_dhcp": True, "ipv6_address_mode": "slaac"}
    subnet = {"cidr": "10.0.0.0/24", "gateway": {"address": None}, "meta": meta}
    vif = {"id": "p", "address": "m", "network": {"id": "n", "subnets": [subnet]}}
    [found] = network.interfaces([vif])
    [shown] = found.network.subnets
    assert (
        shown.dhcp_server,
        shown.enable_dhcp,
        shown.ipv6_address_mode,
        shown.gateway,
    ) == ("10.0.0.2", True, "slaac", None)


@pytest.mark.parametrize("recorded", RENDERED, ids=range(len(RENDERED)))
def test_injected_as_nova(recorded):
    """The file is Nova 34's to the byte; None where Nova writes none."""
    found = injected.network_config(recorded["network_info"], injected.default)
    assert recorded["rendered"] == found


def test_not_injected():
    """Without the flag there is no file."""
    [row] = ROWS["full"]["instance_info_caches"]
    vifs = network.decode(row["network_info"])
    assert injected.network_config(vifs, injected.default) is None


def test_a_template_of_the_operators(tmp_path):
    """It is told what Nova's templates are told, and rendered with Nova's rules for blocks."""
    pytest.importorskip("jinja2")
    path = tmp_path / "interfaces.template"
    path.write_text(
        "{% for ifc in interfaces %}\n"
        "{{ ifc.name }} {{ ifc.address }}/{{ ifc.netmask }} {{ ifc.address_v6 }} {{ use_ipv6 }}\n"
        "{% for r in ifc.routes %}\n"
        "{{ r.network }} {{ r.netmask }} {{ r.gateway }} {{ r.cidr }}\n"
        "{% endfor %}\n"
        "{% endfor %}\n"
    )
    vifs = network.decode(ROWS["injected"]["instance_info_caches"][0]["network_info"])
    route = {"cidr": "172.16.5.9/16", "gateway": {"address": "10.0.0.9"}}
    vifs[0]["network"]["subnets"][0]["routes"].append(route)
    assert injected.network_config(vifs, injected.template(str(path))) == (
        "eth0 10.0.0.5/255.255.255.0 2001:db8:1::5 True\n"
        "172.16.5.9 255.255.0.0 10.0.0.9 172.16.5.9/16\n"
    )


@pytest.mark.parametrize("text", [None, "{% for", "{{ 1 / 0 }}"])
def test_a_template_that_cannot_be_used(tmp_path, text):
    """It concerns servers that need it, with the option's name, and no others; as in Nova."""
    pytest.importorskip("jinja2")
    path = tmp_path / "interfaces.template"
    if text:
        path.write_text(text)
    [row] = ROWS["full"]["instance_info_caches"]
    plain = network.decode(row["network_info"])
    assert injected.network_config(plain, injected.template(str(path))) is None
    vifs = network.decode(ROWS["injected"]["instance_info_caches"][0]["network_info"])
    with pytest.raises(injected.BadTemplate, match="injected_network_template"):
        injected.network_config(vifs, injected.template(str(path)))


def test_a_template_that_is_mended(tmp_path):
    """Is seen without a restart."""
    pytest.importorskip("jinja2")
    path = tmp_path / "interfaces.template"
    render = injected.template(str(path))
    with pytest.raises(injected.BadTemplate):
        render([])
    path.write_text("there")
    assert render([]) == "there"
