"""What the other programs that boot servers ask, replayed; each is held by what it relies on."""

import base64
import json
from functools import partial
from typing import Any, Protocol

import pytest

from guests.asking import Reply, ask, is_open
from guests.cloud import INSTANCE, Cloud
from guests.net import METADATA, METADATA_LINK_LOCAL
from support.servers.databases import eventually


class Get(Protocol):
    """Asks as the guest."""

    def __call__(self, path: str) -> Reply: ...


@pytest.fixture
def get(served: Cloud) -> Get:
    """Ask as the guest; the status must be 200, for want of which these clients give up."""

    def get(path: str) -> Reply:
        reply = served.net.guest.call(ask, "GET", path)
        assert reply.status == 200, reply
        return reply

    return get


def _json(reply: Reply) -> Any:
    return json.loads(reply.body)


class TestCloudbaseInit:
    """Windows: /openstack/latest for everything, 2013-04-04 for the password."""

    def test_detects_and_learns(self, get: Get) -> None:
        """It finds the service and its identity, name and keys in latest/meta_data.json."""
        found = _json(get("/openstack/latest/meta_data.json"))
        assert (found["uuid"], found["hostname"]) == (INSTANCE, "first-light.novalocal")
        assert list(found["public_keys"]) == ["alice"]
        assert found.get("files", []) == []  # so it asks for no content/NNNN

    def test_user_data(self, get: Get) -> None:
        """It executes what latest/user_data says."""
        assert get("/openstack/latest/user_data").body.startswith(b"#cloud-config\n")

    def test_network(self, get: Get) -> None:
        """It configures the static networks, by the MAC of their link."""
        data = _json(get("/openstack/latest/network_data.json"))
        macs = {link["id"]: link["ethernet_mac_address"] for link in data["links"]}
        static = [net for net in data["networks"] if net["type"] in ("ipv4", "ipv6")]
        assert [(macs[net["link"]], net["ip_address"], net["netmask"]) for net in static] == [
            ("fa:16:3e:00:00:05", "10.0.0.5", "255.255.255.0"),
            ("fa:16:3e:00:01:05", "2001:db8:8::140", "ffff:ffff:ffff:ffff::"),
        ]
        assert [service["type"] for service in data["services"]] == ["dns", "dns"]

    def test_password(self, served: Cloud, get: Get) -> None:
        """It posts a password once: a body of length 0 says there is none, any other, there is."""
        assert _json(get("/openstack/2013-04-04/meta_data.json"))["uuid"] == INSTANCE
        assert get("/openstack/2013-04-04/password").body == b""
        secret = base64.b64encode(bytes(range(256)))
        path = "/openstack/2013-04-04/password"
        assert served.net.guest.call(ask, "POST", path, secret).status == 200
        assert get(path).body == secret
        assert served.net.guest.call(ask, "POST", path, secret).status == 409

    def test_ec2(self, get: Get) -> None:
        """Its EC2 service finds name, id and keys, which it splits at the only ``=``."""
        base = "/2009-04-04/meta-data"
        assert get(f"{base}/local-hostname").body == b"first-light.novalocal"
        assert get(f"{base}/instance-id").body.startswith(b"i-")
        [line] = get(f"{base}/public-keys").body.decode().splitlines()
        number, name = line.split("=")
        assert name == "alice"
        assert get(f"{base}/public-keys/{number}/openssh-key").body.startswith(b"ssh-ed25519 ")


class TestAfterburn:
    """Fedora CoreOS and Flatcar: the oldest OpenStack version for the uuid, EC2 for the rest."""

    def test_uuid(self, get: Get) -> None:
        """2012-08-10 answers, and has the uuid."""
        assert _json(get("/openstack/2012-08-10/meta_data.json"))["uuid"] == INSTANCE

    @pytest.mark.parametrize(
        ("leaf", "value"),
        [
            ("hostname", b"first-light.novalocal"),
            ("instance-type", b"m1.small"),
            ("local-ipv4", b"10.0.0.5"),
            ("public-ipv4", b""),
        ],
    )
    def test_attributes(self, leaf: str, value: bytes, get: Get) -> None:
        """Each attribute is a leaf of the EC2 tree, an empty one too."""
        assert get(f"/latest/meta-data/{leaf}").body == value

    def test_keys(self, get: Get) -> None:
        """It reads N of each ``N=name`` and asks for that key."""
        lines = get("/latest/meta-data/public-keys").body.decode().splitlines()
        numbers = [line.split("=")[0] for line in lines]
        assert numbers == ["0"]
        assert get("/latest/meta-data/public-keys/0/openssh-key").body.endswith(b" alice@laptop")


def test_ignition_asks_wherever_there_is_an_address(served: Cloud) -> None:
    """It asks for user data over IPv4 and over each IPv6 interface, and gets the same."""
    addresses = [METADATA, f"{METADATA_LINK_LOCAL}%eth0"]
    served_by = addresses if served.way == "signed" else addresses[:1]
    path = "/openstack/latest/user_data"
    bodies = set()
    for host in served_by:
        # The kernel may still be making sure that the guest's own fe80:: is unique.
        assert eventually(partial(served.net.guest.call, is_open, host, 80))
        bodies.add(served.net.guest.call(ask, "GET", path, host=host).body)
    [body] = bodies
    assert body.startswith(b"#cloud-config\n")


def test_kubernetes_finds_its_node_and_volume(get: Get) -> None:
    """cloud-provider-openstack takes uuid, and cinder-csi a volume's serial, from the newest."""
    found = _json(get("/openstack/latest/meta_data.json"))
    assert found["uuid"] == INSTANCE
    serials = [device.get("serial") for device in found["devices"]]
    assert "0d8c7b6a-5948-4736-a251-40f3e2d1c0b9" in serials


@pytest.mark.parametrize("leaf", ["instance-id", "local-hostname", "public-keys/0/openssh-key"])
def test_cirros_asks_with_a_slash(leaf: str, get: Get) -> None:
    """A slash at the end changes nothing, and is never answered with a redirect."""
    path = f"/2009-04-04/meta-data/{leaf}"
    assert get(f"{path}/").body == get(path).body


class TestPcss:
    """The SR-IOV script of pcss asks once, and stumbles over a missing key."""

    def test_key_is_there_when_the_target_is_not(self, get: Get) -> None:
        """A target that cannot be asked leaves ``{}``, which means: no SR-IOV."""
        data = _json(get("/openstack/2018-08-27/vendor_data2.json"))
        assert data["mlnx_sriov"] == {}
        assert data.get("mlnx_sriov").get("enable_sriov") is None

    def test_other_targets_answered(self, get: Get) -> None:
        """The failure costs the other targets nothing."""
        data = _json(get("/openstack/2018-08-27/vendor_data2.json"))
        assert data["site"]["load-balancer"] == "lb-1"
        assert data["cloud-init"].startswith("#cloud-config\n")
