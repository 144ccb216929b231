"""What Nova says of a port."""

import pytest
from nova import exception

from firstlight_dpm.backing import Backing
from firstlight_dpm.compute.ports.vifs import Vif, vifs_of

SWITCH = "3f1c4a0e-7c2d-11e6-8b77-0242ac130004"
PORT = "88dae9fa-0dc6-49e3-8c29-3abc41e99ac9"


def vif(**more: object) -> dict[str, object]:
    """A port on a virtual switch, as Nova has it."""
    return {
        "id": PORT,
        "type": "dpm_vswitch",
        "address": "FA:16:3E:00:00:01",
        "details": {"object_id": SWITCH, "port_filter": False},
        "active": False,
        **more,
    }


def test_port_on_a_switch():
    """Id, MAC address, what it is plugged into; no VLAN where none is said."""
    assert Vif.of(vif()) == Vif(PORT, "fa:16:3e:00:00:01", Backing(SWITCH), None, False)


def test_port_of_an_adapter():
    """A z17's port names an adapter and its port."""
    details = {"object_id": SWITCH, "port": "1"}
    assert Vif.of(vif(type="dpm_adapter", details=details)).backing == Backing(SWITCH, "1")


def test_vlan():
    """A VLAN that ML2 put there is a number."""
    assert Vif.of(vif(details={"object_id": SWITCH, "vlan": "1234"})).vlan == 1234


@pytest.mark.parametrize(("active", "expected"), [(True, True), (False, False), (None, False)])
def test_active(active: bool | None, expected: bool):
    """A port is up if Neutron has said so."""
    assert Vif.of(vif(active=active)).active is expected


@pytest.mark.parametrize("broken", [{"type": "ovs"}, {"details": {}}, {"details": None}])
def test_not_ours(broken: dict[str, object]):
    """A port that our ML2 driver did not bind is refused, by its id."""
    with pytest.raises(exception.InvalidInput, match=PORT):
        Vif.of(vif(**broken))


def test_none():
    """A server may have no ports at all."""
    assert vifs_of(None) == vifs_of([]) == []
