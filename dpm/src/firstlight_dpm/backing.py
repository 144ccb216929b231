"""What a NIC is plugged into: agreed between the L2 agent, the ML2 driver and the Nova driver.

Up to the z16 that is a virtual switch, on the z17 a port of a network adapter. The agent reports it
as text, the ML2 driver puts it into a port's binding, the Nova driver makes a NIC on its URI.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

#: ``binding:vif_type`` of a port on a virtual switch, as networking-dpm had it.
VIF_TYPE_VSWITCH = "dpm_vswitch"
#: ``binding:vif_type`` of a port on an adapter's port.
VIF_TYPE_ADAPTER = "dpm_adapter"

#: Keys of ``binding:vif_details``: the object id of the virtual switch or adapter, the adapter's
#: port as text ("0" where it is not said), and the VLAN's id, absent on a flat network.
OBJECT_ID = "object_id"
PORT = "port"
VLAN = "vlan"

_ID = r"[0-9a-f-]{36}"
_TEXT = re.compile(rf"({_ID})(?::([0-9]))?")
_URI = re.compile(rf"/api/(?:virtual-switches/({_ID})|adapters/({_ID})/network-ports/([0-9]))")
_PROPERTIES = ("virtual-switch-uri", "network-adapter-port-uri")


class Backing(NamedTuple):
    """A virtual switch, or, with a `port`, that port of an adapter."""

    object_id: str
    port: str | None = None

    @classmethod
    def parse(cls, text: object) -> "Backing":
        """What :meth:`__str__` wrote; raises ValueError for anything else."""
        found = _TEXT.fullmatch(str(text))
        if found is None:
            raise ValueError(f"{str(text)[:80]!r} names neither a virtual switch nor a port")
        return cls(found[1], found[2])

    @classmethod
    def of_vif(cls, vif_type: str, details: Mapping[str, Any]) -> "Backing":
        """What a port was bound to; raises ValueError if it was not by our ML2 driver."""
        port = details.get(PORT, "0") if vif_type == VIF_TYPE_ADAPTER else None
        if vif_type not in (VIF_TYPE_VSWITCH, VIF_TYPE_ADAPTER) or OBJECT_ID not in details:
            raise ValueError(f"the port is bound as {vif_type}, which is not DPM's")
        return cls.parse(cls(details[OBJECT_ID], port))

    @classmethod
    def of_nic(cls, properties: Mapping[str, Any]) -> "Backing | None":
        """What a NIC on the HMC is plugged into; None: nothing of ours."""
        uris = (str(properties.get(name) or "") for name in _PROPERTIES)
        found = next(filter(None, map(_URI.fullmatch, uris)), None)
        return cls(found[1] or found[2], found[3]) if found else None

    def __str__(self) -> str:
        """As the agent reports it: a virtual switch's id, or an adapter's with ``:`` and port."""
        return self.object_id if self.port is None else f"{self.object_id}:{self.port}"

    @property
    def named(self) -> str:
        """As a person is told of it."""
        if self.port is None:
            return f"virtual switch {self.object_id}"
        return f"port {self.port} of adapter {self.object_id}"

    @property
    def vif_type(self) -> str:
        """``binding:vif_type`` of a port that is bound to this."""
        return VIF_TYPE_VSWITCH if self.port is None else VIF_TYPE_ADAPTER

    @property
    def vif_details(self) -> dict[str, str]:
        """Its part of ``binding:vif_details``; a new dictionary each time."""
        if self.port is None:
            return {OBJECT_ID: self.object_id}
        return {OBJECT_ID: self.object_id, PORT: self.port}

    @property
    def nic_property(self) -> tuple[str, str]:
        """The name and the URI by which Create NIC is told."""
        if self.port is None:
            return "virtual-switch-uri", f"/api/virtual-switches/{self.object_id}"
        uri = f"/api/adapters/{self.object_id}/network-ports/{self.port}"
        return "network-adapter-port-uri", uri
