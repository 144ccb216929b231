"""`dpm_nics`: the guest, which has no JSON Schema library, agrees with the schema that it ships."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from firstlight_guest import dpm
from firstlight_guest.dpm.grammar import Card, parse
from firstlight_guest.dpm.nics import cards
from firstlight_guest.errors import GuestError
from hypothesis import given
from hypothesis import strategies as st

SCHEMA = json.loads((Path(dpm.__file__).parent / "dpm_nics.schema.json").read_text())
NIC = {"devno": "0001", "port": 0, "mac": "0a:00:00:00:00:11"}
CHANGES: list[dict[str, Any]] = [
    {},
    {"devno": "00AF"},
    {"devno": "001"},
    {"devno": 1},
    {"port": 1},
    {"port": 2},
    {"port": "0"},
    {"port": True},
    {"mac": "0A:00:00:00:00:11"},
    {"mac": "08:00:00:00:00:11"},
    {"mac": "0a0000000011"},
    {"mac": None},
    {"vlan": None},
    {"vlan": 0},
    {"vlan": 4094},
    {"vlan": 4095},
    {"vlan": "99"},
    {"vlan": True},
    {"port_id": "p", "network_id": "n", "another": 1},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_agrees_with_the_schema(change: dict[str, Any]) -> None:
    """A card is taken if, and only if, the schema allows it."""
    value = [NIC | change]
    allowed = jsonschema.Draft7Validator(SCHEMA).is_valid(value)
    try:
        taken = bool(cards(value))
    except GuestError:
        taken = False
    assert taken == allowed


@pytest.mark.parametrize("value", [None, "", 7, {}, [7], [None], [[]], {"nics": 7}], ids=str)
def test_other_things(value: Any) -> None:
    """What is no list of cards is refused with a sentence."""
    with pytest.raises(GuestError, match="dpm_nics"):
        cards(value)


@given(
    st.builds(
        Card,
        st.from_regex(r"[0-9a-f]{4}", fullmatch=True),
        st.integers(0, 1),
        st.integers(1, 4094),
        st.from_regex(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", fullmatch=True),
    )
)
def test_written_and_read(card: Card) -> None:
    """A card in the command line's grammar is read back as it was, in either case."""
    assert parse(str(card)) == parse(str(card).upper()) == [card]


@given(st.text())
def test_any_command_line(text: str) -> None:
    """No text breaks the reader."""
    assert all(len(card.devno) == 4 for card in parse(text))
