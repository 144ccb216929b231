"""Names and marks: those of nova-dpm, recognised exactly."""

import pytest

from firstlight_dpm import names

UUID = "6511ee0f-0d64-4392-b9e0-cdbea10a17c3"
NODE = "11111111-2222-3333-4444-555555555555"
MAC = "fa:16:3e:aa:bb:cc"


def test_names_are_those_that_exist():
    """A cloud that nova-dpm ran finds its partitions, NICs and HBAs again."""
    assert names.partition_name("sub1", UUID) == f"OpenStack-sub1-{UUID}"
    assert names.partition_description("sub1") == "OpenStack CPCSubset=sub1"
    assert names.nic_name(UUID) == f"OpenStack_Port_{UUID}"
    assert names.nic_description("sub1", MAC) == f"OpenStack mac={MAC}, CPCSubset=sub1"
    assert names.hba_name(UUID, "0") == f"OpenStack_Port_{UUID}_0"
    assert names.hba_description("sub1") == "OpenStack CPCSubset= sub1"


@pytest.mark.parametrize("host", ["sub1", "sub-1", "a.b", "a" * names.MAX_HOST])
def test_a_host_that_fits_is_fine(host):
    """It is given back, and the partition's name fits the HMC's 64 characters."""
    assert names.check_host(host) == host
    assert len(names.partition_name(host, UUID)) <= 64
    assert names.instance_of(host, names.partition_name(host, UUID)) == UUID


@pytest.mark.parametrize("host", ["a" * (names.MAX_HOST + 1), "node7.cloud.example.com"])
def test_a_host_that_is_too_long_says_what_to_set(host):
    """Host names of nodes are too long more often than not."""
    with pytest.raises(names.BadHost, match=r"Set \[DEFAULT\] host .* at most 17 characters"):
        names.check_host(host)


@pytest.mark.parametrize("host", ["", "a b", "a,b", "-a", "a/b", "hö", "a\n"])
def test_a_host_with_other_characters_is_refused(host):
    """Descriptions and names could not be read back."""
    with pytest.raises(names.BadHost, match="letters, digits"):
        names.check_host(host)


@pytest.mark.parametrize(
    "name",
    [
        f"OpenStack-sub2-{UUID}",
        f"OpenStack-sub1-{UUID[:-1]}",
        f"OpenStack-sub1-{UUID}0",
        f"xOpenStack-sub1-{UUID}",
        f"OpenStack-sub1-{UUID.upper()}",
        f"OpenStack-sub1-{UUID[:23]}-{UUID[24:]}0",
        f"OpenStack-sub1-x-{UUID}",
        f"OpenStack-sub1-{UUID}\n",
        "sub1",
        "",
    ],
)
def test_other_partitions_are_not_ours(name):
    """Not those of others, nor those that only resemble ours."""
    assert names.instance_of("sub1", name) is None


def test_a_dot_in_the_host_is_a_dot():
    """Once it stood for any character, and so for another subset."""
    assert names.instance_of("a.b", f"OpenStack-a.b-{UUID}") == UUID
    assert names.instance_of("a.b", f"OpenStack-axb-{UUID}") is None


@pytest.mark.parametrize(
    ("description", "host"),
    [
        ("OpenStack CPCSubset=sub1", "sub1"),
        (f"OpenStack CPCSubset=sub1 node={NODE}", "sub1"),
        (f"OpenStack mac={MAC}, CPCSubset=sub10", "sub10"),
        ("OpenStack CPCSubset= sub1", "sub1"),
        ("My own, CPCSubset=sub1", None),
        ("OpenStack", None),
        ("", None),
    ],
)
def test_the_subset_is_read_as_a_whole(description, host):
    """sub1 is not sub10, and what is not marked is nobody's."""
    assert names.subset_of(description) == host


def test_the_node_that_made_a_partition():
    """It is in the description, which nova-dpm's partitions do not have."""
    assert names.node_of(names.partition_description("sub1", NODE)) == NODE
    assert names.node_of(names.partition_description("sub1")) is None


@pytest.mark.parametrize(
    ("description", "mac"),
    [
        (f"OpenStack mac={MAC}, CPCSubset=h", MAC),
        ("OpenStack mac=FA-16-3E-AA-BB-CC, CPCSubset=h", MAC),
        (f"OpenStack mac={MAC}:dd, CPCSubset=h", None),
        ("OpenStack mac=fa:16, CPCSubset=h", None),
        ("OpenStack CPCSubset=h", None),
    ],
)
def test_the_mac_is_read_with_colons_or_dashes(description, mac):
    """In lower case with colons."""
    assert names.mac_of(description) == mac


def test_the_port_is_in_the_nic_s_name():
    """And in no name that merely resembles it."""
    assert names.port_of(names.nic_name(UUID)) == UUID
    assert names.port_of(f"OpenStack_Port_{UUID}_0") is None
    assert names.port_of("eth0") is None
