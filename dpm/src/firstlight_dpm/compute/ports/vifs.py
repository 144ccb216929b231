"""What Nova says of a port, as a NIC needs it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from nova import exception

from firstlight_dpm import backing
from firstlight_dpm.backing import Backing


class Vif(NamedTuple):
    """One port of a server."""

    port: str
    mac: str
    backing: Backing
    vlan: int | None
    #: False while Neutron has not said that the port is up.
    active: bool
    #: Neutron's, if Nova knows it.
    network: str | None = None

    @classmethod
    def of(cls, vif: Mapping[str, Any]) -> "Vif":
        """Nova's VIF model; raises InvalidInput if our ML2 driver did not bind the port."""
        details = vif.get("details") or {}
        try:
            plugged = Backing.of_vif(str(vif.get("type")), details)
        except ValueError as error:
            raise exception.InvalidInput(reason=f"port {vif['id']}: {error}") from error
        vlan = details.get(backing.VLAN)
        return cls(
            port=str(vif["id"]),
            mac=str(vif["address"]).lower(),
            backing=plugged,
            vlan=None if vlan is None else int(vlan),
            active=vif.get("active") is True,
            network=(vif.get("network") or {}).get("id"),
        )


def vifs_of(network_info: Iterable[Mapping[str, Any]] | None) -> list[Vif]:
    """The ports of a server, in its order; waits for Nova to have bound them."""
    return [Vif.of(vif) for vif in network_info or ()]
