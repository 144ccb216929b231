"""Which files are on a config drive, and what they say (metadata-api §5)."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from firstlight.config_drive import contents
from firstlight.documents import Additions, BareMetal, Documents, InjectedFile, TreeSettings
from firstlight.instance import Answer, Instance, State
from lab import golden

SEED = bytes(range(32))
ANSWERS = {"site": Answer(value={"rack": 7}, state=State.OK, fetched=0.0)}
BOTH = ("StaticJSON", "DynamicJSON")


class Targets:
    """What is asked of them is counted."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Mapping[str, Answer]:
        self.asked += 1
        return ANSWERS


def instance(name: str = "full") -> Instance:
    """An instance that golden files were recorded of."""
    return msgspec.convert(golden.read(name)["instance"], Instance)


def documents(
    name: str = "full", providers: tuple[str, ...] = ("StaticJSON",), **more: Any
) -> Documents:
    """Its documents."""
    settings = TreeSettings(vendordata_providers=providers)
    return Documents(instance(name), settings, today="2026-11-21", **more)


def drive(name: str = "full", ask: Targets | None = None, **more: Any) -> dict[str, bytes]:
    """The files of its drive."""
    return contents(documents(name, **more), ask or Targets(), seed=SEED)


def meta_data(files: Mapping[str, bytes], version: str = "latest") -> dict[str, Any]:
    """The value of one meta_data.json."""
    value: dict[str, Any] = json.loads(files[f"openstack/{version}/meta_data.json"])
    return value


def test_each_version_has_its_documents() -> None:
    """A document is there from the version that introduced it, in every later one, and latest."""
    names = ["meta_data.json", "user_data", "vendor_data.json", "network_data.json"]
    names.append("vendor_data2.json")
    count = {"2012-08-10": 2, "2013-04-04": 2, "2013-10-17": 3, "2015-10-15": 4, "2016-06-30": 4}
    later = ("2016-10-06", "2017-02-22", "2018-08-27", "2020-10-14", "2025-04-04", "latest")
    expected = {
        f"openstack/{version}/{name}"
        for version in (*count, *later)
        for name in names[: count.get(version, 5)]
    }
    ec2 = {
        f"ec2/{version}/{name}"
        for version in ("2009-04-04", "latest")
        for name in ("meta-data.json", "user-data")
    }
    assert set(drive()) == expected | ec2


def test_without_user_data_there_is_no_file_of_it() -> None:
    """Nothing and empty are different."""
    assert not [path for path in drive("minimal") if "user" in path]
    assert drive("user-data-empty")["openstack/latest/user_data"] == b""
    assert drive("user-data-empty")["ec2/latest/user-data"] == b""


def test_versions_of_ec2_can_be_left_out() -> None:
    """``config_drive_skip_versions`` is about the EC2 tree, and no other."""
    files = contents(documents(), Targets(), seed=SEED, skip=["latest", "2012-08-10"])
    versions = {path.split("/")[1] for path in files if path.startswith("ec2/")}
    assert versions >= {"1.0", "2009-04-04"}
    assert "latest" not in versions
    assert "openstack/2012-08-10/meta_data.json" in files


def test_nobody_asks_a_drive() -> None:
    """Where HTTP would say the requester's address, there is null; the rest has its own types."""
    value = json.loads(drive("minimal")["ec2/latest/meta-data.json"])
    assert value["local-ipv4"] is None
    assert value["ami-launch-index"] == 0
    assert value["security-groups"] == []
    keys = json.loads(drive()["ec2/latest/meta-data.json"])["public-keys"]
    assert keys["0"]["_name"] == "0=mykey"


def test_targets_are_asked_once() -> None:
    """However many versions show what they say."""
    targets = Targets()
    files = drive(ask=targets, providers=BOTH)
    assert targets.asked == 1
    assert json.loads(files["openstack/2016-10-06/vendor_data2.json"])["site"] == {"rack": 7}
    assert json.loads(files["openstack/latest/vendor_data2.json"])["site"] == {"rack": 7}


def test_targets_are_not_asked_in_vain() -> None:
    """Without DynamicJSON nobody is asked."""
    targets = Targets()
    drive(ask=targets)
    assert targets.asked == 0


@pytest.mark.parametrize("providers", [("DynamicJSON",), ()])
def test_without_static_json_the_drive_is_built(providers: tuple[str, ...]) -> None:
    """Nova fails here; ours has no vendor_data.json, as there is none over HTTP."""
    files = drive(providers=providers)
    assert not [path for path in files if path.endswith("/vendor_data.json")]
    assert json.loads(files["openstack/latest/vendor_data2.json"]).keys() == (
        {"site"} if providers else set()
    )


def test_every_version_has_a_seed_of_its_own() -> None:
    """684 characters of base64, the same again from the same seed, and never twice on a drive."""
    files = drive()
    versions = {path.split("/")[1] for path in files if path.endswith("/meta_data.json")}
    seeds = [meta_data(files, version)["random_seed"] for version in versions - {"2012-08-10"}]
    assert len(set(seeds)) == len(seeds) == 10
    assert {len(base64.b64decode(seed)) for seed in seeds} == {512}
    assert "random_seed" not in meta_data(files, "2012-08-10")
    assert drive() == files
    other = contents(documents(), Targets(), seed=SEED[::-1])
    assert meta_data(other)["random_seed"] not in seeds


def test_a_short_seed_is_refused() -> None:
    """Who can guess it, knows what the guest's random numbers begin with."""
    with pytest.raises(ValueError, match="31 bytes; a drive's has at least 32"):
        contents(documents(), Targets(), seed=SEED[1:])


def test_files_are_injected() -> None:
    """Listed in every version, each with the number of its content."""
    files = (InjectedFile("/etc/motd", b"hi\n"), InjectedFile("C:\\x", b""))
    built = drive(added=Additions(files))
    listed = [
        {"path": "/etc/motd", "content_path": "/content/0000"},
        {"path": "C:\\x", "content_path": "/content/0001"},
    ]
    assert meta_data(built)["files"] == meta_data(built, "2012-08-10")["files"] == listed
    assert built["openstack/content/0000"] == b"hi\n"
    assert built["openstack/content/0001"] == b""


def test_a_network_config_comes_before_injected_files() -> None:
    """It is content 0000, and they begin at 0001."""
    built = drive("injected", added=Additions((InjectedFile("/x", b"x"),)))
    assert meta_data(built)["files"] == [{"path": "/x", "content_path": "/content/0001"}]
    assert meta_data(built)["network_config"]["content_path"] == "/content/0000"
    assert built["openstack/content/0000"].startswith(b"# Injected by Nova")
    assert built["openstack/content/0001"] == b"x"


def test_the_admin_password_stands_where_nova_puts_it() -> None:
    """After the files, before the keys."""
    added = Additions((InjectedFile("/x", b"x"),), {"admin_pass": "pässword"})
    built = drive(added=added)
    assert list(meta_data(built))[:5] == ["uuid", "meta", "files", "admin_pass", "public_keys"]
    assert meta_data(built)["admin_pass"] == "pässword"


@pytest.mark.parametrize("key", ["uuid", "random_seed", "files", "hostname", "devices"])
def test_what_the_document_says_itself_cannot_be_added(key: str) -> None:
    """In Nova it would win or be lost, depending on the key."""
    with pytest.raises(ValueError, match=f"meta_data.json says {key} itself"):
        Additions(metadata={"admin_pass": "x", key: "y"})


@pytest.mark.parametrize("path", ["", "x" * 256, "a\0b"])
def test_a_path_no_guest_can_use_is_refused(path: str) -> None:
    """255 characters are Nova's own limit."""
    with pytest.raises(ValueError, match="an injected file's path has 1 to 255 characters"):
        Additions((InjectedFile(path, b""),))


def test_secrets_are_not_shown() -> None:
    """What is handed in may end in a traceback, its contents do not."""
    shown = repr(Additions((InjectedFile("/x", b"secret"),), {"admin_pass": "secret"}))
    assert "secret" not in shown
    assert "admin_pass" in shown


PORT = {"uuid": "port-1", "address": "52:54:00:00:00:01", "node_uuid": "n", "pxe_enabled": True}
MEMBERS = [
    {**PORT, "portgroup_uuid": "group-1", "internal_info": {}, "extra": {}},
    {**PORT, "uuid": "port-2", "address": "52:54:00:00:00:02", "portgroup_uuid": "group-1"},
]


def links(name: str, **node: Any) -> list[dict[str, Any]]:
    """The links on the drive of a server on this node."""
    added = Additions(bare_metal=msgspec.convert(node, BareMetal))
    value = json.loads(drive(name, added=added)["openstack/latest/network_data.json"])
    found: list[dict[str, Any]] = value["links"]
    return found


def test_a_port_group_is_a_bond() -> None:
    """With the group's address, mode and properties; its members are links of their own."""
    vif = instance().interfaces[0].port_id
    group = {
        "uuid": "group-1",
        "address": "52:54:00:00:00:aa",
        "mode": "802.3ad",
        "properties": {"miimon": 100, "bond_xmit_hash_policy": "layer3+4"},
        "internal_info": {"tenant_vif_port_id": vif},
    }
    bond, *members = links("full", ports=MEMBERS, portgroups=[group])
    assert bond["type"] == "bond"
    assert bond["vif_id"] == vif
    assert bond["ethernet_mac_address"] == "52:54:00:00:00:aa"
    assert list(bond.items())[5:] == [
        ("bond_mode", "802.3ad"),
        ("bond_links", ["port-1", "port-2"]),
        ("bond_miimon", 100),
        ("bond_xmit_hash_policy", "layer3+4"),
    ]
    assert members == [
        {"id": "port-1", "type": "phy", "ethernet_mac_address": "52:54:00:00:00:01"},
        {"id": "port-2", "type": "phy", "ethernet_mac_address": "52:54:00:00:00:02"},
    ]


def test_a_bond_without_an_address_has_neutrons() -> None:
    """As the port that Neutron made says."""
    interface = instance().interfaces[0]
    group = {"uuid": "group-1", "extra": {"vif_port_id": interface.port_id}}
    [bond] = links("full", portgroups=[group])
    assert bond["ethernet_mac_address"] == interface.mac
    assert bond["bond_links"] == []


def test_a_port_is_a_physical_link() -> None:
    """With the address of the real card."""
    vif = instance().interfaces[0].port_id
    [link] = links("full", ports=[{**PORT, "internal_info": {"tenant_vif_port_id": vif}}])
    assert (link["type"], link["ethernet_mac_address"]) == ("phy", "52:54:00:00:00:01")


def test_what_ironic_does_not_know_stays() -> None:
    """A link of no port is Neutron's, and a server without interfaces has an empty document."""
    plain = json.loads(drive()["openstack/latest/network_data.json"])["links"]
    assert links("full", ports=[PORT]) == plain
    added = Additions(bare_metal=BareMetal())
    assert drive("minimal", added=added)["openstack/latest/network_data.json"] == b"{}"
