"""A served HMC, as somebody with the real zhmcclient meets it."""

from typing import Any

import pytest
import zhmcclient

from firstlight_dpm.hmc import Login
from firstlight_dpm.mock import MACHINES, Served

GENERATIONS = list(MACHINES)


def refusal(action: Any, *args: Any, **kwargs: Any) -> tuple[int, int]:
    """HTTP status and reason of a request that must fail."""
    with pytest.raises(zhmcclient.HTTPError) as caught:
        action(*args, **kwargs)
    return caught.value.http_status, caught.value.reason


def login(served: Served, **more: Any) -> Login:
    """How our services reach it."""
    options = {
        "hosts": (served.host,),
        "username": served.username,
        "password": served.password,
        "cpc": served.machine.cpc,
        "port": served.port,
        "verify": str(served.ca_file),
        "read_timeout": 30,
    }
    return Login(**{**options, **more})


class Someone:
    """A client that has logged on to a served HMC, and what it begins with."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.session = zhmcclient.Session(
            served.host,
            served.username,
            served.password,
            port=served.port,
            verify_cert=str(served.ca_file),
            retry_timeout_config=zhmcclient.RetryTimeoutConfig(connect_retries=0, read_retries=0),
        )
        self.client = zhmcclient.Client(self.session)
        self.cpc = self.client.cpcs.find(name=served.machine.name.upper())

    def partition(self, name: str = "p", **more: Any) -> zhmcclient.Partition:
        """A new partition of one processor."""
        sizes = {"ifl-processors": 1, "initial-memory": 1024, "maximum-memory": 1024}
        return self.cpc.partitions.create({"name": name, **sizes, **more})

    def backing(self, name: str = "osa-1", port: int = 0) -> dict[str, str]:
        """What a NIC sits on there, as the machine has it."""
        machine = self.served.machine
        if machine.adapter_ports:
            uri = f"/api/adapters/{machine.id(name)}/network-ports/{port}"
            return {"network-adapter-port-uri": uri}
        switch = machine.id(f"{name}/{port}/virtual-switch")
        return {"virtual-switch-uri": f"/api/virtual-switches/{switch}"}

    def storage_port(self, name: str = "fcp-1") -> str:
        """An FCP port's URI."""
        return f"/api/adapters/{self.served.machine.id(name)}/storage-ports/0"
