"""Partitions and NICs on a served HMC, made as the Nova driver makes them."""

from typing import Any, NamedTuple
from uuid import uuid4

import zhmcclient

from firstlight_dpm import names
from firstlight_dpm.backing import Backing
from firstlight_dpm.hmc import Hmc, Login
from firstlight_dpm.mock import Served

MAC = "fa:16:3e:00:00:01"


def login_of(served: Served, **more: Any) -> Login:
    """How to ask it."""
    where = {"hosts": (served.host,), "port": served.port, "verify": str(served.ca_file)}
    who = {"username": served.username, "password": served.password}
    return Login(**{**where, **who, "cpc": served.machine.cpc, "read_timeout": 20, **more})


class Subset(NamedTuple):
    """Makes partitions and NICs as the Nova driver does."""

    hmc: Hmc
    host: str = "sub1"

    def partition(self, name: str = "") -> zhmcclient.Partition:
        """A partition of a new instance, or one of that name."""
        return self.hmc.cpc().partitions.create(
            {
                "name": name or names.partition_name(self.host, str(uuid4())),
                "description": names.partition_description(self.host),
                "ifl-processors": 1,
                "initial-memory": 1024,
                "maximum-memory": 1024,
            }
        )

    def nic(
        self, partition: zhmcclient.Partition, backing: Backing, port: str = "", **more: str
    ) -> zhmcclient.Nic:
        """A NIC for a port; `more` are other properties than the driver's."""
        properties = {
            "name": names.nic_name(port or str(uuid4())),
            "description": names.nic_description(self.host, MAC),
            backing.nic_property[0]: backing.nic_property[1],
        }
        return partition.nics.create(properties | more)
