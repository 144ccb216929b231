"""Where Nova's loader looks for ``compute_driver = dpm.driver.DPMDriver``."""

from firstlight_dpm.compute.driver import DPMDriver

__all__ = ["DPMDriver"]
