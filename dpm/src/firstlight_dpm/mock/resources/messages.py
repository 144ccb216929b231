"""What the operating system in a partition says on its console."""

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from firstlight_dpm.mock.refusal import unless
from firstlight_dpm.mock.request import Operations, Request

if TYPE_CHECKING:
    from firstlight_dpm.mock.console import Console

#: The level from which on the HMC lists them.
_SINCE = (2, 14)
#: As many as are kept for one partition.
_KEPT = 100


def write(hmc: "Console", partition: Any) -> None:
    """What Linux would say when it starts, as far as the boot parameters decide it."""
    properties = partition.properties
    said = hmc.said.setdefault(partition.uri, [])
    number = said[-1]["sequence-number"] if said else 0
    command_line = properties["boot-os-specific-parameters"].strip()
    for text in (
        f"Linux version 0 (mock) on {properties['name']}",
        f"Kernel command line: {command_line}",
        f"Memory: {properties['initial-memory'] * 1024}K",
    ):
        number += 1
        said.append({"sequence-number": number, "message-text": text, "os-name": "Linux"})
    del said[:-_KEPT]


def listed(hmc: "Console", request: Request, partition_id: str) -> Any:
    """List OS Messages of a Partition."""
    unless(hmc.machine.level >= _SINCE, 404, 1, "This machine's messages cannot be listed")
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    status = partition.properties["status"]
    unless(status in ("active", "degraded"), 409, 1, f"The partition is {status}")
    query = parse_qs(request.query)
    begin = _number(query, "begin-sequence-number", 0)
    end = _number(query, "end-sequence-number", sys.maxsize)
    said = hmc.said.get(partition.uri, [])
    return {"os-messages": [one for one in said if begin <= one["sequence-number"] <= end]}


def _number(query: dict[str, list[str]], name: str, default: int) -> int:
    given = query.get(name, [str(default)])[0]
    unless(given.isdecimal(), 400, 1, f"{name}: a whole number")
    return int(given)


OPERATIONS: Operations = (("GET", "/api/partitions/([^/]+)/operations/list-os-messages", listed),)
