"""What a NIC is plugged into is said in four ways, and they agree."""

from typing import Any

import pytest

from firstlight_dpm.backing import Backing

ID = "3f1c4a0e-7c2d-11e6-8b77-0242ac130004"
VSWITCH = Backing(ID)
PORT = Backing(ID, "1")


@pytest.mark.parametrize("backing", [VSWITCH, PORT], ids=str)
def test_four_ways(backing: Backing) -> None:
    """Text, binding and NIC lead back to what they were made of."""
    assert Backing.parse(str(backing)) == backing
    assert Backing.of_vif(backing.vif_type, backing.vif_details) == backing
    assert Backing.of_nic(dict([backing.nic_property])) == backing


def test_as_networking_dpm_had_it() -> None:
    """A virtual switch is bound as it always was: its id, under the old type and key."""
    assert str(VSWITCH) == ID
    assert VSWITCH.vif_type == "dpm_vswitch"
    assert VSWITCH.vif_details == {"object_id": ID}
    assert VSWITCH.nic_property == ("virtual-switch-uri", f"/api/virtual-switches/{ID}")


def test_on_an_adapter() -> None:
    """An adapter's port has a type of its own and names both."""
    assert str(PORT) == f"{ID}:1"
    assert PORT.vif_type == "dpm_adapter"
    assert PORT.vif_details == {"object_id": ID, "port": "1"}
    uri = f"/api/adapters/{ID}/network-ports/1"
    assert PORT.nic_property == ("network-adapter-port-uri", uri)


def test_details_are_not_shared() -> None:
    """Who adds to a binding's details changes no other binding."""
    VSWITCH.vif_details["vlan"] = 7
    assert VSWITCH.vif_details == {"object_id": ID}


@pytest.mark.parametrize("text", ["", "x", ID + ":", ID + ":10", ID + "/..", None, 7], ids=str)
def test_odd_text(text: Any) -> None:
    """Anything else that an agent might report is refused."""
    with pytest.raises(ValueError, match="neither"):
        Backing.parse(text)


@pytest.mark.parametrize(
    ("vif_type", "details"),
    [("ovs", {"object_id": ID}), ("dpm_vswitch", {}), ("dpm_vswitch", {"object_id": "../x"})],
)
def test_odd_bindings(vif_type: str, details: dict[str, str]) -> None:
    """A port that another driver bound, or nonsense, is refused."""
    with pytest.raises(ValueError):
        Backing.of_vif(vif_type, details)


def test_nics_of_others() -> None:
    """A NIC that names both, as the HMC does with one of them null, is on the one; or on none."""
    both = {"virtual-switch-uri": None, "network-adapter-port-uri": PORT.nic_property[1]}
    assert Backing.of_nic(both) == PORT
    assert Backing.of_nic({"virtual-switch-uri": None}) is None
