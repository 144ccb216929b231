"""Nova's own loader finds the driver, under the names that operators have."""

import pytest
from nova.virt import driver, fake

from firstlight_dpm.compute.driver import DPMDriver


@pytest.mark.parametrize("name", ["dpm.DPMDriver", "dpm.driver.DPMDriver"])
def test_both_spellings_load(name):
    """``compute_driver`` as nova-dpm's pages had it, and as its configuration files had it."""
    assert isinstance(driver.load_compute_driver(fake.FakeVirtAPI(), name), DPMDriver)
