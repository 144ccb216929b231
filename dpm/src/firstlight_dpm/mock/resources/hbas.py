"""HBAs, which only a machine without storage groups has: names, numbers, WWPNs."""

import uuid
from typing import TYPE_CHECKING, Any

from firstlight_dpm.mock.refusal import unless
from firstlight_dpm.mock.request import Operations, Request, check_name, check_none_of

if TYPE_CHECKING:
    from firstlight_dpm.mock.console import Console

_READ_ONLY = {"class", "parent", "element-id", "element-uri", "wwpn"}
_FIRST, _LAST = 0x9000, 0xFFFF


def create(hmc: "Console", request: Request, partition_id: str) -> Any:
    """Create HBA."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    body = request.body
    unless(not hmc.machine.storage_groups, 409, 13, "This machine has storage groups, not HBAs")
    check_none_of(body, _READ_ONLY)
    check_name(body, partition.hbas.list())
    _check_adapter(hmc, str(body.get("adapter-port-uri")))
    body.setdefault("description", "")
    body.setdefault("device-number", _free_number(partition))
    body |= {"element-id": str(uuid.uuid4()), "wwpn": hmc.new_wwpn()}
    return hmc.pass_on(request)


def update(hmc: "Console", request: Request, partition_id: str, hba_id: str) -> Any:
    """Update HBA Properties."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    hba = hmc.resource(request.uri)
    check_none_of(request.body, _READ_ONLY | {"adapter-port-uri"})
    check_name(request.body, [one for one in partition.hbas.list() if one is not hba])
    return hmc.pass_on(request)


def _check_adapter(hmc: "Console", port_uri: str) -> None:
    # The mock itself refuses an adapter or a port that does not exist.
    adapter = hmc.get(port_uri.partition("/storage-ports/")[0])
    kind = adapter.properties["type"] if adapter else "fcp"
    unless(kind == "fcp", 400, 7, f"adapter-port-uri: the adapter's type is {kind}, not fcp")


def _free_number(partition: Any) -> str:
    taken = {one.properties["device-number"].upper() for one in partition.hbas.list()}
    numbers = (f"{number:04X}" for number in range(_FIRST, _LAST))
    return next(number for number in numbers if number not in taken)


OPERATIONS: Operations = (
    ("POST", "/api/partitions/([^/]+)/hbas", create),
    ("POST", "/api/partitions/([^/]+)/hbas/([^/]+)", update),
)
