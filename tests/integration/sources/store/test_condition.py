"""The state of an instance, on each kind of database: for people, and nothing a guest is told."""

import pytest

from firstlight.sources import InstanceGone
from firstlight.sources.store import Store
from support.cloud.store_samples import server, uuid


def test_error_and_back(store: Store) -> None:
    """ERROR with its reason, the last one given, until the instance is updated."""
    store.add_all([server(1), server(2)])
    assert store.condition(uuid(1)) is None
    store.set_error(uuid(1), "required target t answered 503")
    store.set_error(uuid(1), "required target größe answered 500")
    found = store.condition(uuid(1))
    assert found is not None
    assert (found.state, found.reason) == ("ERROR", "required target größe answered 500")
    assert found.since > 1_700_000_000
    assert store.condition(uuid(2)) is None
    store.update(server(1, hostname="other"))
    assert store.condition(uuid(1)) is None


def test_what_the_guest_sees_is_as_it_was(store: Store) -> None:
    """Neither the document nor its revision changes, and nobody's memory is emptied for it."""
    store.add(server(1))
    before = store.read(uuid(1))
    told: list[str | None] = []
    stop = store.watch(told.append)
    store.set_error(uuid(1), "why")
    assert store.read(uuid(1)) == before
    stop()
    assert told == []


def test_it_goes_with_the_instance(store: Store) -> None:
    """One that is removed and stored anew is in its usual state; one that is gone has none."""
    store.add(server(1))
    store.set_error(uuid(1), "why")
    store.remove(uuid(1))
    with pytest.raises(InstanceGone):
        store.set_error(uuid(1), "why")
    store.add(server(1))
    assert store.condition(uuid(1)) is None
