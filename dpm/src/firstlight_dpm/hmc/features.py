"""What a machine can do, asked of the machine, not concluded from its model."""

from typing import NamedTuple

import zhmcclient


class Features(NamedTuple):
    """What differs between a z13 and a z17, as far as partitions of ours meet it."""

    #: Volumes come through storage groups (z14 and later); else partitions have HBAs (z13).
    storage_groups: bool
    #: NICs sit on an adapter's port (z17); else on a virtual switch.
    adapter_ports: bool
    #: A NIC's MAC address can be set when it is made (API 2.20, SE 2.14).
    mac_address: bool
    #: A NIC's VLAN can be enforced by the machine (SE 2.14).
    vlan: bool


def features(cpc: zhmcclient.Cpc) -> Features:
    """Ask the machine; raises zhmcclient's exceptions."""
    api = cpc.manager.client.version_info()
    recent = _level(cpc.get_property("se-version")) >= (2, 14) and api >= (2, 20)
    return Features(
        storage_groups=cpc.firmware_feature_enabled("dpm-storage-management"),
        adapter_ports=cpc.api_feature_enabled("network-express-support"),
        mac_address=recent,
        vlan=recent,
    )


def _level(se_version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in se_version.split(".")[:2])
