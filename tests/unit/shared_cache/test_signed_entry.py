"""What lies in a shared cache: plain data, signed, and nothing else is believed."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstlight.instance import Ec2Ids, Instance, Keypair
from firstlight.shared_cache.signed_entry import NotOurs, Seal, SignedEntry

KEY = "firstlight:instance:a"
INSTANCE = Instance(
    uuid="00000000-0000-4000-8000-00000000000a",
    project_id="p",
    name="größe",
    hostname="a",
    metadata={"role": "web"},
    keypair=Keypair(name="k", public_key="ssh-rsa A"),
    ec2_ids=Ec2Ids(instance=7),
)
ENTRY = SignedEntry("mark", 1000.5, INSTANCE)


def test_what_was_sealed_is_opened():
    """An instance comes back equal, with its date and mark."""
    seal = Seal(["s3"])
    assert seal.open(KEY, seal.close(KEY, ENTRY)) == ENTRY


def test_an_older_secret_is_believed_while_it_is_rotated():
    """Hosts that sign with the old secret and with the new one read each other's records."""
    old, new = Seal(["old", "new"]), Seal(["new", "old"])
    assert new.open(KEY, old.close(KEY, ENTRY)) == ENTRY
    assert old.open(KEY, new.close(KEY, ENTRY)) == ENTRY


def test_another_secret_is_not_believed():
    """Who does not know the secret cannot say what an instance is."""
    with pytest.raises(NotOurs):
        Seal(["s3"]).open(KEY, Seal(["guessed"]).close(KEY, ENTRY))


def test_a_record_is_of_one_instance():
    """Signed bytes that were moved to another instance's key are refused."""
    seal = Seal(["s3"])
    with pytest.raises(NotOurs):
        seal.open("firstlight:instance:b", seal.close(KEY, ENTRY))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    """Whatever somebody puts there is refused and never worse."""
    with pytest.raises(NotOurs):
        Seal(["s3"]).open(KEY, data)


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_refused(place, change):
    """No byte of a record can be changed."""
    seal = Seal(["s3"])
    data = bytearray(seal.close(KEY, ENTRY))
    data[place % len(data)] ^= change
    with pytest.raises(NotOurs):
        seal.open(KEY, bytes(data))


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.lists(st.text()), st.binary())
)
def test_what_is_signed_and_no_instance_is_refused(value):
    """A wrong shape under a right signature is refused, too: another program has the secret."""

    class Loose(msgspec.Struct, array_like=True):
        mark: str
        built: float
        instance: object

    seal = Seal(["s3"])
    with pytest.raises(NotOurs):
        seal.open(KEY, seal.close(KEY, Loose("mark", 1.0, value)))  # type: ignore[arg-type]
