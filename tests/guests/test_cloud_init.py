"""Debian's cloud-init asks the running services, and learns who it is."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from guests.booting import CloudInit, boot, booting
from guests.cloud import Cloud, away
from guests.sequence import sequence
from support.servers.databases import eventually

UUID = "6a1f4c0e-3b52-4d8e-9c37-51e0a2b4c6d8"
KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHq3mXbkqvZ3eE0hS9nSx1yvG1l0cPz5m0QmJ7rT4uWd alice@laptop"
)


class First(NamedTuple):
    """A first boot: what cloud-init learned, and what it asked."""

    learned: dict[str, Any]
    asked: list[str]


@pytest.fixture(scope="session")
def first(served: Cloud, debian: CloudInit, tmp_path_factory: pytest.TempPathFactory) -> First:
    """The OpenStack datasource in a first boot."""
    return _first(served, debian, "OpenStack", tmp_path_factory.mktemp("guest"))


@pytest.fixture(scope="session")
def first_ec2(served: Cloud, debian: CloudInit, tmp_path_factory: pytest.TempPathFactory) -> First:
    """The EC2 datasource in a first boot."""
    return _first(served, debian, "Ec2", tmp_path_factory.mktemp("guest"))


def _first(served: Cloud, debian: CloudInit, datasource: str, home: Path) -> First:
    served.asked()
    learned = boot(served.net.guest, debian, datasource, home)
    assert learned["found"], learned["why"]
    return First(learned, served.asked())


def test_it_is_the_version_that_was_unpacked(first: First, debian: CloudInit) -> None:
    """The package's own code ran."""
    assert first.learned["version"] == debian.version


def test_openstack_is_found_without_complaint(first: First) -> None:
    """cloud-init detects the datasource, keeps it, and warns of nothing."""
    assert first.learned["datasource"] == "DataSourceOpenStack"
    assert first.learned["complaints"] == []


def test_openstack_names(first: First) -> None:
    """The guest learns its identity, host name and availability zone."""
    learned = first.learned
    assert learned["instance_id"] == UUID
    assert _hostname(learned) == "first-light"
    assert learned["fqdn"] == "first-light.novalocal"
    assert learned["availability_zone"] == "nova"


def test_openstack_metadata(first: First) -> None:
    """What the user set on the server arrives, and a random seed with it."""
    metadata = first.learned["metadata"]
    assert metadata["meta"] == {"role": "web"}
    assert metadata["name"] == "first light"
    assert len(metadata["random_seed"]) > 512


def test_openstack_keys(first: First) -> None:
    """The user's key arrives."""
    assert first.learned["keys"] == [KEY]


def test_openstack_user_data(first: First) -> None:
    """User data arrives as it was given."""
    assert first.learned["user_data"].startswith("#cloud-config\nwrite_files:\n")


def test_openstack_vendor_data(first: First) -> None:
    """cloud-init takes its share of the static file."""
    assert first.learned["vendor_data"].startswith("#cloud-config\nbootcmd:\n")


def test_openstack_vendor_data2(first: First) -> None:
    """cloud-init takes what the vendordata service said under the target named for it."""
    said = first.learned["vendor_data2"]
    assert said.startswith("#cloud-config\n")
    assert sorted(yaml.safe_load(said)) == ["final_message", "runcmd"]


def test_openstack_network(first: First) -> None:
    """Links are matched to the guest's own by MAC, and configured as the ports are."""
    links = _links(first.learned)
    assert links["eth0"]["mac_address"] == "fa:16:3e:00:00:05"
    assert links["eth0"]["mtu"] == 1450
    [static] = links["eth0"]["subnets"]
    assert (static["type"], static["address"]) == ("static", "10.0.0.5")
    assert static["netmask"] == "255.255.255.0"
    assert [route["gateway"] for route in static["routes"]] == ["10.0.0.1", "10.0.0.2"]
    dynamic, static6 = links["eth1"]["subnets"]
    assert dynamic["type"] == "dhcp4"
    assert (static6["type"], static6["address"]) == ("static6", "2001:db8:8::140")


def test_openstack_name_servers(first: First) -> None:
    """The subnets' name servers arrive."""
    entries = first.learned["network"]["config"]
    servers = [entry["address"] for entry in entries if entry["type"] == "nameserver"]
    assert servers == ["10.0.0.2", "2001:db8:8::53"]


def test_openstack_takes_in_the_ec2_tree(first: First) -> None:
    """The second half of the crawl arrives whole."""
    ec2 = first.learned["ec2_metadata"]
    assert ec2["local-ipv4"] == "10.0.0.5"
    assert ec2["instance-type"] == "m1.small"
    assert ec2["block-device-mapping"] == {"ami": "vda", "root": "/dev/vda"}


def test_openstack_sequence(first: First, debian: CloudInit) -> None:
    """One boot asks exactly what this version is known to ask, and gets it."""
    assert first.asked == sequence(debian.version, "OpenStack")


def test_ec2_is_found(first_ec2: First) -> None:
    """cloud-init keeps the datasource; the only complaint is that Nova's EC2 has no networks."""
    learned = first_ec2.learned
    assert learned["datasource"] == "DataSourceEc2"
    assert [line for line in learned["complaints"] if "'network' key not" not in line] == []


def test_ec2_learns(first_ec2: First) -> None:
    """Identity, names, key and user data arrive."""
    learned = first_ec2.learned
    assert learned["instance_id"].startswith("i-")
    assert _hostname(learned) == "first-light"
    assert learned["fqdn"] == "first-light.novalocal"
    assert learned["keys"] == [KEY]
    assert learned["user_data"].startswith("#cloud-config\nwrite_files:\n")
    assert learned["availability_zone"] == "nova"


def test_ec2_agrees_with_openstack(first: First, first_ec2: First) -> None:
    """Both datasources see the same EC2 tree, though of different versions."""
    assert first_ec2.learned["metadata"] == first.learned["ec2_metadata"]


def test_ec2_sequence(first_ec2: First, debian: CloudInit) -> None:
    """One boot asks exactly what this version is known to ask, and gets it."""
    assert first_ec2.asked == sequence(debian.version, "Ec2")


def test_a_restarted_service_says_the_same(
    served: Cloud, debian: CloudInit, first: First, tmp_path: Path
) -> None:
    """A guest that boots again after the service has learns exactly what it did before."""
    with away(served.metadata):
        pass
    again = boot(served.net.guest, debian, "OpenStack", tmp_path)
    assert _lasting(again) == _lasting(first.learned)


def test_openstack_finds_a_service_that_came_late(
    served: Cloud, debian: CloudInit, tmp_path: Path
) -> None:
    """A boot that found nobody is over at once; the next one finds the service.

    Behind a proxy nobody is a 503, which cloud-init since 25.1 waits out in the same boot.
    """
    early, later = tmp_path / "early", tmp_path / "later"
    early.mkdir()
    later.mkdir()
    with ExitStack() as stack:
        with away(served.metadata):
            begun = stack.enter_context(booting(served.net.guest, debian, "OpenStack", early))
            assert eventually(begun.was_refused, 60)
        waits = served.way == "signed" and debian.number >= (25, 1)
        assert begun.learned()["found"] == waits
    assert boot(served.net.guest, debian, "OpenStack", later)["found"]


def test_ec2_waits_for_a_service_that_comes_late(
    served: Cloud, debian: CloudInit, tmp_path: Path
) -> None:
    """The EC2 datasource goes on asking until somebody answers."""
    with ExitStack() as stack:
        with away(served.metadata):
            begun = stack.enter_context(booting(served.net.guest, debian, "Ec2", tmp_path))
            assert eventually(begun.was_refused, 60)
        assert begun.learned()["found"]


def _hostname(learned: dict[str, Any]) -> str:
    """22.2 began to say more than the name."""
    hostname = learned["hostname"]
    return str(hostname[0] if isinstance(hostname, list) else hostname)


def _links(learned: dict[str, Any]) -> dict[str, Any]:
    entries = learned["network"]["config"]
    return {entry["name"]: entry for entry in entries if entry["type"] == "physical"}


def _lasting(learned: dict[str, Any]) -> dict[str, Any]:
    """What may not differ between two boots: all but the random seed."""
    metadata = {k: v for k, v in learned["metadata"].items() if k != "random_seed"}
    return learned | {"metadata": metadata}
