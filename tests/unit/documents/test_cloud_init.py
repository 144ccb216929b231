"""What cloud-init makes of the documents, as `firstlight show --as cloud-init` tells it."""

import json

import pytest

from firstlight.documents.cloud_init import cloud_init_view

UUID = "00000000-0000-4000-8000-000000000001"
LINK = {"id": "tap1", "ethernet_mac_address": "fa:16:3e:00:00:01", "mtu": 1442}
ROUTES = [
    {"network": "10.0.0.0", "netmask": "255.0.0.0", "gateway": "192.0.2.2"},
    {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "192.0.2.1"},
]
ADDRESS = {"ip_address": "192.0.2.10", "netmask": "255.255.255.0", "routes": ROUTES}


def view(**documents):
    """Of these documents, by their names without the ending."""
    whole = {"meta_data": {"uuid": UUID, "hostname": "web-1"}} | documents
    bodies = {f"{name}.json": json.dumps(value).encode() for name, value in whole.items()}
    return cloud_init_view(bodies.get)


def vendor(value):
    """What becomes of a vendor data document."""
    return view(vendor_data=value)["vendor-data"]


def test_what_there_is():
    """Names and values are those of meta_data.json; what is missing is None or empty."""
    shown = view(meta_data={"uuid": UUID, "public_keys": {"mine": "ssh-rsa A"}, "meta": {"a": "b"}})
    assert shown["instance-id"] == UUID
    assert shown["local-hostname"] is None
    assert shown["public-keys"] == ["ssh-rsa A"]
    assert shown["metadata"] == {"a": "b"}
    assert shown["user-data"] == "none"


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"uuid": ""}', b"no JSON", None])
def test_what_is_rejected(body):
    """Without a UUID cloud-init looks for another datasource."""
    with pytest.raises(ValueError, match="cloud-init rejects the datasource"):
        cloud_init_view({"meta_data.json": body}.get)


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ({"type": "ipv4", **ADDRESS}, "192.0.2.10 netmask 255.255.255.0 via 192.0.2.1"),
        ({"type": "ipv4", **ADDRESS, "routes": []}, "192.0.2.10 netmask 255.255.255.0"),
        ({"type": "ipv4_dhcp"}, "ipv4 by dhcp"),
    ],
)
def test_an_address(network, told):
    """The gateway is that of the route to everywhere."""
    [link] = view(network_data={"links": [LINK], "networks": [{**network, "link": "tap1"}]})[
        "network"
    ]
    assert link == {"mac": LINK["ethernet_mac_address"], "mtu": 1442, "addresses": [told]}


def test_without_a_network():
    """No document and no link are two things, and each is said."""
    assert "falls back to DHCP" in view()["network"]
    assert "configures no interface" in view(network_data={"links": []})["network"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "nothing"),
        ("#cloud-config\na: b", "used: #cloud-config, 18 bytes"),
        (["a", "b"], "used: a list of 2"),
        ({"cloud-init": "#!/bin/sh"}, "used: #!/bin/sh, 9 bytes"),
        (7, "ignored: a number"),
    ],
)
def test_vendor_data(value, told):
    """A string or a list, bare or under the key cloud-init."""
    assert vendor(value) == told


def test_vendor_data_for_others():
    """What cloud-init leaves alone is named, so that a wrong key is seen."""
    assert vendor({"site": 1, "rack": 2}).endswith("others may read: site, rack")
    assert vendor({"cloud-init": {"a": "b"}}).startswith("ignored:")


def test_gzip():
    """Compressed user data is not shown as text."""
    bodies = {"meta_data.json": b'{"uuid": "x"}', "user_data": b"\x1f\x8b\x00"}
    assert cloud_init_view(bodies.get)["user-data"] == "gzip, 3 bytes"
