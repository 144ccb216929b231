"""Partitions: what zhmcclient's mock lets pass and an HMC would not; starting and stopping."""

import uuid
from typing import TYPE_CHECKING, Any

from firstlight_dpm.mock.refusal import Refusal, unless
from firstlight_dpm.mock.request import (
    Operations,
    Request,
    Started,
    check_name,
    check_none_of,
    check_text,
    check_whole,
)
from firstlight_dpm.mock.resources import messages
from firstlight_dpm.mock.resources.storage_groups import check_volume_is_there, leave_all

if TYPE_CHECKING:
    from firstlight_dpm.mock.console import Console

_READ_ONLY = {
    *("class", "parent", "object-id", "object-uri", "status", "has-unacceptable-status"),
    *("is-locked", "os-name", "os-type", "os-version", "degraded-adapters", "reserved-memory"),
    *("nic-uris", "hba-uris", "virtual-function-uris", "storage-group-uris", "tape-link-uris"),
    *("partition-link-uris", "available-features-list", "boot-iso-image-name"),
}
_BOOT_DEVICES = {
    *("none", "storage-adapter", "storage-volume", "network-adapter", "ftp", "removable-media"),
    *("iso-image", "tape"),
}
#: What may be stopped. zhmcclient's mock leaves out the two that run with something missing.
_STOPPABLE = ("active", "paused", "terminated", "degraded", "reservation-error")
_BETWEEN = ("starting", "stopping")


def create(hmc: "Console", request: Request, cpc_id: str) -> Any:
    """Create Partition."""
    cpc = hmc.resource(f"/api/cpcs/{cpc_id}")
    body = request.body
    check_none_of(body, _READ_ONLY)
    check_name(body, cpc.partitions.list())
    _check_size(body, cpc.properties)
    body["object-id"] = str(uuid.uuid4())
    answer = hmc.pass_on(request)
    made = hmc.resource(answer["object-uri"])
    made.properties["available-features-list"] = cpc.properties["available-features-list"]
    return answer


def update(hmc: "Console", request: Request, partition_id: str) -> Any:
    """Update Partition Properties."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    cpc = partition.manager.parent
    others = [one for one in cpc.partitions.list() if one is not partition]
    check_none_of(request.body, _READ_ONLY)
    check_name(request.body, others)
    check_settled(partition)
    _check_size({**partition.properties, **request.body}, cpc.properties)
    _check_boot(hmc, partition, request.body)
    return hmc.pass_on(request)


def delete(hmc: "Console", request: Request, partition_id: str) -> Any:
    """Delete Partition: its NICs and HBAs with it, and storage groups go free."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    nics, hbas = partition.nics.list(), partition.hbas.list()
    hmc.pass_on(request)
    leave_all(hmc, partition)
    hmc.said.pop(partition.uri, None)
    for child in (*nics, *hbas):
        child.manager.remove(child.oid)
    hmc.forget_nics(nics)


def start(hmc: "Console", request: Request, partition_id: str) -> Started:
    """Start Partition: ``starting`` until the job ends, then ``active``."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    hmc.pass_on(request)

    def end() -> None:
        if hmc.alive(partition):
            _end_start(hmc, partition, request)

    partition.properties["status"] = "starting"
    return hmc.begin(end)


def _end_start(hmc: "Console", partition: Any, request: Request) -> None:
    partition.properties["status"] = "stopped"
    _fail_if_injected(request)
    _check_memory(partition)
    check_volume_is_there(hmc, partition)
    partition.properties["status"] = "active"
    messages.write(hmc, partition)


def stop(hmc: "Console", request: Request, partition_id: str) -> Started:
    """Stop Partition: ``stopping`` until the job ends, then ``stopped``."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    before = partition.properties["status"]
    unless(before in _STOPPABLE, 409, 1, f"The partition is {before}, so it cannot be stopped")
    partition.properties["status"] = "active"
    try:
        hmc.pass_on(request)
    except Refusal:
        partition.properties["status"] = before
        raise

    def end() -> None:
        if not hmc.alive(partition):
            return
        partition.properties["status"] = before
        _fail_if_injected(request)
        partition.properties["status"] = "stopped"

    partition.properties["status"] = "stopping"
    return hmc.begin(end)


def check_settled(partition: Any) -> None:
    """A partition on its way from one status to another takes no changes."""
    status = partition.properties["status"]
    unless(status not in _BETWEEN, 409, 1, f"The partition is {status}")


def _fail_if_injected(request: Request) -> None:
    for fault in request.faults:
        if fault.job:
            fault.refuse()


def _check_size(body: Any, cpc: Any) -> None:
    check_whole(body, "ifl-processors", 0, cpc["processor-count-ifl"])
    check_whole(body, "initial-memory", 1, cpc["storage-customer"])
    check_whole(body, "maximum-memory", body.get("initial-memory", 1), cpc["storage-customer"])


def _check_memory(partition: Any) -> None:
    cpc = partition.manager.parent
    running = [one for one in cpc.partitions.list() if one.properties["status"] != "stopped"]
    used = sum(one.properties["initial-memory"] for one in (*running, partition))
    free = cpc.properties["storage-customer"]
    unless(used <= free, 409, 101, f"Partitions would use {used} MiB; the machine has {free}")


def _check_boot(hmc: "Console", partition: Any, body: Any) -> None:
    device = body.get("boot-device", "none")
    unless(str(device) in _BOOT_DEVICES, 400, 7, f"boot-device: {device!r} is none that there is")
    other = "storage-adapter" if hmc.machine.storage_groups else "storage-volume"
    unless(device != other, 400, 7, f"boot-device: a {hmc.machine.name} has no {other}")
    check_text(body, "boot-os-specific-parameters", "(?s).{0,256}", "at most 256 characters")
    check_text(body, "boot-world-wide-port-name", "|[0-9A-Fa-f]{16}", "16 hexadecimal digits")
    check_text(body, "boot-logical-unit-number", "[0-9A-Fa-f]{0,16}", "hexadecimal digits")
    hba = body.get("boot-storage-device")
    unless(not hba or hba in partition.properties["hba-uris"], 404, 2, f"There is no {hba}")


OPERATIONS: Operations = (
    ("POST", "/api/cpcs/([^/]+)/partitions", create),
    ("POST", "/api/partitions/([^/]+)", update),
    ("DELETE", "/api/partitions/([^/]+)", delete),
    ("POST", "/api/partitions/([^/]+)/operations/start", start),
    ("POST", "/api/partitions/([^/]+)/operations/stop", stop),
)
