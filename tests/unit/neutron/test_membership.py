"""Whose groups are whose."""

from firstlight.neutron.membership import group_ids, names
from firstlight.neutron.rows import Group, Membership


def port(device: str, *groups: str) -> Membership:
    return Membership(security_groups=groups, device_id=device)


def test_port_by_port_a_group_as_often_as_it_comes() -> None:
    """Nova shows the groups of all ports one after the other, repetitions and all."""
    ports = [port("i", "2", "1"), port("j", "1"), port("i", "1")]
    groups = [Group("1", "web"), Group("2", "db")]
    assert names(["i", "j"], ports, groups) == {"i": ("db", "web", "web"), "j": ("web",)}


def test_two_groups_of_one_name() -> None:
    """A name is not an id: two groups called alike are two."""
    assert names(["i"], [port("i", "1", "2")], [Group("1", "a"), Group("2", "a")]) == {
        "i": ("a", "a")
    }


def test_without_a_name_by_its_id() -> None:
    """Names are optional in Neutron."""
    assert names(["i"], [port("i", "1", "2")], [Group("1", ""), Group("2")]) == {"i": ("1", "2")}


def test_group_that_is_not_shown() -> None:
    """What the service's user may not see is left out, as Nova does."""
    assert names(["i"], [port("i", "1", "2")], [Group("2", "b")]) == {"i": ("b",)}


def test_no_ports_no_groups() -> None:
    """Nothing known is an empty answer for everyone who was asked about."""
    assert names(["i", "j"], [port("j")], []) == {"i": (), "j": ()}


def test_each_group_is_asked_for_once() -> None:
    """In the order they first appear, so that the same ports make the same request."""
    assert group_ids([port("i", "2", "1"), port("j", "1", "3")]) == ["2", "1", "3"]
