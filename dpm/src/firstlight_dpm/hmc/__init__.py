"""The Hardware Management Console: sessions, and what its machine can do."""

from firstlight_dpm.hmc.features import Features, features
from firstlight_dpm.hmc.session import Hmc, Login

__all__ = ["Features", "Hmc", "Login", "features"]
