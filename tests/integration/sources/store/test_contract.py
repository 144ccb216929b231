"""What every store promises, whatever database it is kept in."""

import msgspec
import pytest

from firstlight.instance import Ec2Ids
from firstlight.sources import InstanceGone, PasswordSet
from firstlight.sources.store import (
    BadDocument,
    Ec2IdTaken,
    InstanceExists,
    Refused,
    RevisionConflict,
    Store,
    Taken,
)
from support.cloud.store_samples import IMAGE, KERNEL, interface, server, uuid

replace = msgspec.structs.replace


def test_what_was_added_is_read_again(store: Store) -> None:
    """An instance comes back as it was, with EC2 ids and a reservation."""
    given = server(metadata={"role": "wéb\x00"}, image_id=IMAGE, kernel_id=KERNEL)
    added = store.add(given)
    assert added == replace(
        given, ec2_ids=Ec2Ids(instance=1, image=1, kernel=2), reservation_id=added.reservation_id
    )
    assert added.reservation_id is not None
    assert len(added.reservation_id) == len("r-") + 8
    assert store.instance(given.uuid) == added
    assert list(store.list()) == [added]
    assert list(store.named("web")) == [added]


def test_unknown_is_nothing(store: Store) -> None:
    """Nobody has that id, name or address: nothing, and no error."""
    assert store.instance(uuid(1)) is None
    for odd in ("no uuid at all", "\x00", "\udc80", "", "x" * 100_000):
        assert store.read(odd) is None
        assert store.at_provider(odd, odd) is None
        assert list(store.at_address(odd)) == []
    assert list(store.list()) == []
    assert list(store.named("web")) == []
    assert list(store.at_address("192.0.2.1")) == []
    assert list(store.at_address("not an address")) == []


def test_a_second_of_the_same_id_is_refused(store: Store) -> None:
    """Adding a stored UUID stores nothing of the whole batch."""
    store.add(server(1))
    with pytest.raises(InstanceExists, match=uuid(1)):
        store.add_all([server(2), server(1)])
    with pytest.raises(InstanceExists, match="twice"):
        store.add_all([server(3), server(3)])
    assert [one.uuid for one in store.list()] == [uuid(1)]


def test_a_wrong_instance_is_refused(store: Store) -> None:
    """What cannot be a server is not stored, and the reason says where."""
    with pytest.raises(BadDocument, match=r"interfaces\[0\]\.network\.subnets\[0\]\.addresses"):
        store.add(server(interfaces=(interface("192.0.2.300", "192.0.2.0/24"),)))
    assert list(store.list()) == []


def test_ids_of_images_are_shared_and_kept_for_ever(store: Store) -> None:
    """An image has one number; a removed instance's is given to nobody but itself."""
    first = store.add(server(1, image_id=IMAGE))
    second = store.add(server(2, image_id=IMAGE))
    assert first.ec2_ids == Ec2Ids(instance=1, image=1)
    assert second.ec2_ids == Ec2Ids(instance=2, image=1)
    store.remove(uuid(2))
    assert store.add(server(3)).ec2_ids == Ec2Ids(instance=3)
    again = store.add(server(2))
    assert again.ec2_ids == Ec2Ids(instance=2)


def test_numbers_are_importable(store: Store) -> None:
    """Given numbers are kept, counting goes on above them, and both kinds count for themselves."""
    given = Ec2Ids(instance=42, image=42)
    added = store.add_all([server(1), server(2, image_id=IMAGE, ec2_ids=given)])
    assert added[1].ec2_ids == given
    assert added[0].ec2_ids == Ec2Ids(instance=43)
    assert store.add(server(3, kernel_id=KERNEL, image_id=IMAGE)).ec2_ids == Ec2Ids(
        instance=44, image=42, kernel=43
    )


def test_a_clash_of_numbers_is_refused_by_name(store: Store) -> None:
    """A number that is another's, or a second number, is refused and says whose it is."""
    store.add(server(1, ec2_ids=Ec2Ids(instance=7)))
    with pytest.raises(Ec2IdTaken, match=f"7 was given to instance {uuid(1)}"):
        store.add(server(2, ec2_ids=Ec2Ids(instance=7)))
    store.remove(uuid(1))
    with pytest.raises(Ec2IdTaken, match="7 for ever"):
        store.add(server(1, ec2_ids=Ec2Ids(instance=8)))
    assert list(store.list()) == []


def test_addresses_are_found_however_they_are_written(store: Store) -> None:
    """IPv6 is compared as an address, and every network's holder is told."""
    one = store.add(server(1, interfaces=(interface("2001:DB8:0::01", "2001:db8::/64"),)))
    two = store.add(server(2, interfaces=(interface("2001:db8::1", "2001:db8::/64", "n2"),)))
    assert list(store.at_address("2001:0db8::0:1")) == [one, two]
    store.update(replace(one, interfaces=()), revision=1)
    assert list(store.at_address("2001:db8::1")) == [two]
    store.remove(two.uuid)
    assert list(store.at_address("2001:db8::1")) == []


def test_a_provider_is_answered_for_its_networks(store: Store) -> None:
    """None: it serves no network; nothing: nobody there has the address; else who has."""
    store.add(server(1, interfaces=(interface("192.0.2.1", "192.0.2.0/24", "n1", ("lb",)),)))
    other = store.add(server(2, interfaces=(interface("192.0.2.2", "192.0.2.0/24", "n1"),)))
    store.add(server(3, interfaces=(interface("192.0.2.2", "192.0.2.0/24", "n2"),)))
    assert store.at_provider("nobody", "192.0.2.2") is None
    assert list(store.at_provider("lb", "192.0.2.9") or ()) == []
    assert list(store.at_provider("lb", "192.0.2.2") or ()) == [other]


def test_a_password_is_set_once(store: Store) -> None:
    """The first is kept, an empty one sets nothing, and the next server of that id has none."""
    store.add(server(1))
    store.set_password(uuid(1), "")
    store.set_password(uuid(1), "s3\x00ret\udc80")
    with pytest.raises(PasswordSet):
        store.set_password(uuid(1), "other")
    found = store.instance(uuid(1))
    assert found is not None
    assert found.password == "s3\x00ret\udc80"
    with pytest.raises(InstanceGone):
        store.set_password(uuid(2), "x")
    store.remove(uuid(1))
    assert store.add(server(1)).password == ""


def test_an_update_replaces_and_keeps_what_lasts(store: Store) -> None:
    """A rebuild has a new image and number, and no password; reservation, roles, EC2 id stay."""
    old = store.add(server(1, boot_roles="member,reader", image_id=IMAGE))
    store.set_password(old.uuid, "secret")
    new = store.update(server(1, image_id=KERNEL, name="db"), revision=1)
    assert new == replace(
        old, image_id=KERNEL, name="db", password="", ec2_ids=Ec2Ids(instance=1, image=2)
    )
    assert store.read(old.uuid) == (new, 2)
    assert list(store.named("web")) == []
    store.set_password(old.uuid, "of the new guest")


def test_a_password_stays_where_nothing_is_rebuilt(store: Store) -> None:
    """With another document, if that is said, and with other metadata."""
    store.add(server(1))
    store.set_password(uuid(1), "secret")
    assert store.update(server(1, name="db"), keep_password=True).password == "secret"
    assert store.revise(uuid(1), lambda old: replace(old, name="a")).password == "secret"
    assert store.revise(uuid(1), lambda old: old, keep_password=False).password == ""
    found = store.instance(uuid(1))
    assert found is not None
    assert found.password == ""


def test_a_port_is_one_servers(store: Store) -> None:
    """Another one with it is refused, by both names, and so is its address on that network."""
    store.add(server(1, name="one", interfaces=(interface("10.7.0.7", "10.7.0.0/24", port="a"),)))
    with pytest.raises(Taken) as raised:
        store.add(
            server(2, name="two", interfaces=(interface("10.7.0.7", "10.7.0.0/24", port="a"),))
        )
    assert str(raised.value).splitlines() == [
        f"10.7.0.7 on network n1 cannot be given to two ({uuid(2)}): one ({uuid(1)}) has it",
        f"port a cannot be given to two ({uuid(2)}): one ({uuid(1)}) has it",
    ]
    assert store.instance(uuid(2)) is None
    same = interface("10.7.0.7", "10.7.0.0/24", "n2", port="b")  # tenants' networks overlap
    store.add(server(2, interfaces=(same,)))
    with pytest.raises(Taken, match=r"port a cannot"):
        store.update(server(2, interfaces=(interface("10.7.0.8", "10.7.0.0/24", port="a"),)))
    store.update(server(1, interfaces=()))
    store.update(server(2, interfaces=(interface("10.7.0.8", "10.7.0.0/24", port="a"),)))
    store.remove(uuid(2))
    store.update(server(1, interfaces=(interface("10.7.0.8", "10.7.0.0/24", port="a"),)))


def test_two_new_ones_with_one_address(store: Store) -> None:
    """Neither is stored, however the address is written."""
    cards = [interface(text, "2001:db8::/64", port=text) for text in ("2001:DB8::1", "2001:db8::1")]
    with pytest.raises(Taken, match="2001:db8::1 on network n1"):
        store.add_all([server(n, interfaces=(card,)) for n, card in enumerate(cards, start=1)])
    assert list(store.list()) == []


@pytest.mark.parametrize(
    "change", [{"boot_roles": "admin"}, {"project_id": "p2"}, {"reservation_id": "r-00000000"}]
)
def test_what_lasts_cannot_be_changed(store: Store, change: dict[str, str]) -> None:
    """Boot roles, project and reservation are refused by name and nothing changes."""
    old = store.add(server(1, boot_roles="member"))
    with pytest.raises(Refused, match=next(iter(change))):
        store.update(replace(old, name="db", **change))
    assert store.instance(old.uuid) == old


def test_an_update_of_an_old_revision_is_refused(store: Store) -> None:
    """Who read before somebody else wrote must read again."""
    old = store.add(server(1))
    store.update(replace(old, name="a"), revision=1)
    with pytest.raises(RevisionConflict, match="revision 2, not 1"):
        store.update(replace(old, name="b"), revision=1)
    with pytest.raises(InstanceGone):
        store.update(server(2))


def test_removing_is_all_or_nothing(store: Store) -> None:
    """One unknown id among them, and none is removed."""
    store.add(server(1))
    with pytest.raises(InstanceGone, match=uuid(2)):
        store.remove(uuid(1), uuid(2))
    assert store.instance(uuid(1)) is not None
