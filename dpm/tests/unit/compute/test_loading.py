"""Nova's own loader finds the driver, which takes whatever Nova hands to its methods."""

import inspect

import pytest
from nova.virt.driver import ComputeDriver, load_compute_driver

from firstlight_dpm.compute.driver import DPMDriver

OVERRIDDEN = [
    name
    for name, member in vars(DPMDriver).items()
    if inspect.isfunction(member) and name in vars(ComputeDriver)
]


@pytest.mark.parametrize("name", ["dpm.DPMDriver", "dpm.driver.DPMDriver"])
def test_loaded(name: str):
    """Both names that operators have in compute_driver load the same driver."""
    assert type(load_compute_driver(None, name)) is DPMDriver


@pytest.mark.parametrize("name", [one for one in OVERRIDDEN if one != "__init__"])
def test_takes_all_arguments(name: str):
    """All of Nova's arguments fit, in their places; what has a default fits by its name, too."""
    theirs = list(inspect.signature(getattr(ComputeDriver, name)).parameters.values())
    ours = inspect.signature(getattr(DPMDriver, name))
    given = [one.name for one in theirs]
    ours.bind(*given)
    needed = [one.name for one in theirs if one.default is inspect.Parameter.empty]
    named = {one.name: None for one in theirs if one.default is not inspect.Parameter.empty}
    ours.bind(*needed, **named)


def test_what_it_can():
    """It says what it can do, and no more than that differs from what any driver says."""
    differs = {
        name: can
        for name, can in DPMDriver.capabilities.items()
        if can != ComputeDriver.capabilities.get(name)
    }
    assert differs == {"supports_attach_interface": True, "supports_image_type_raw": True}
