"""A metadata service that speaks of another server than the machine is refused."""

from pathlib import Path

import pytest
from firstlight_guest.dmi import refuse_another
from firstlight_guest.errors import GuestError
from firstlight_guest.machine import Machine

OWN = "00112233-4455-4677-8899-aabbccddeeff"
SWAPPED = "33221100-5544-7746-8899-aabbccddeeff"  # as firmware before SMBIOS 2.6 has it
OTHER = "00112233-4455-4677-8899-aabbccddee00"


def machine(tmp_path: Path, **said: str) -> Machine:
    """One whose firmware says this."""
    dmi = tmp_path / "sys/class/dmi/id"
    dmi.mkdir(parents=True)
    for name, text in said.items():
        (dmi / name).write_text(f"{text}\n")
    return Machine(str(tmp_path))


@pytest.mark.parametrize("own", [OWN, OWN.upper(), SWAPPED])
@pytest.mark.parametrize("name", ["", "OpenStack Nova", "OpenStack Compute"])
def test_the_machines_own(tmp_path: Path, own: str, name: str) -> None:
    """The UUID that the hypervisor says, in either order of bytes, is right; any other is not."""
    here = machine(tmp_path, product_uuid=own, product_name=name)
    refuse_another(here, OWN)
    for told in (OTHER, "evil", "", None, ["x" * 1000]):
        with pytest.raises(GuestError, match="nothing is taken from it") as refused:
            refuse_another(here, told)
        assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"product_uuid": "Not Settable"},
        {"product_uuid": "00000000-0000-0000-0000-000000000000"},
        {"product_uuid": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"},
        {"product_uuid": OWN, "product_name": "PowerEdge R640", "sys_vendor": "Dell Inc."},
    ],
)
def test_nothing_to_compare_with(tmp_path: Path, said: dict[str, str]) -> None:
    """Where firmware has no UUID, or the hardware's own, any is taken."""
    refuse_another(machine(tmp_path, **said), OTHER)
