"""How partitions reach their volumes: HBAs on a z13, storage groups from the z14 on."""

from firstlight_dpm.compute.storage.contract import Storage
from firstlight_dpm.compute.storage.groups import StorageGroups
from firstlight_dpm.compute.storage.hbas import Hbas

__all__ = ["Hbas", "Storage", "StorageGroups"]
