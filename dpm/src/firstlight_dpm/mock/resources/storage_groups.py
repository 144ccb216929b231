"""Storage groups: attached, they have WWPNs, to which a storage system maps volumes."""

import uuid
from typing import TYPE_CHECKING, Any

from firstlight_dpm.mock.refusal import unless
from firstlight_dpm.mock.request import (
    Body,
    Operations,
    Request,
    Started,
    check_name,
    check_text,
    check_whole,
)

if TYPE_CHECKING:
    from firstlight_dpm.mock.console import Console

_GROUPS = "/api/storage-groups"
_FIRST, _LAST = 0x9000, 0xFFFF


def create(hmc: "Console", request: Request) -> Any:
    """Create Storage Group."""
    body = request.body
    _need_storage_groups(hmc)
    check_name(body, hmc.groups.list())
    unless(body.get("type") == "fcp", 400, 7, "type: this mock makes groups of type fcp only")
    check_whole(body, "connectivity", 1, 128)
    ports = body.setdefault("candidate-adapter-port-uris", _fcp_ports(hmc, body))
    body.setdefault("connectivity", 2)
    connectivity = body["connectivity"]
    unless(
        len(ports) >= connectivity, 400, 7, f"connectivity: {connectivity}, but {len(ports)} ports"
    )
    for port in ports:
        unless(hmc.get(port), 404, 6, f"There is no {port}")
    body.setdefault("max-partitions", 1)
    body["object-id"] = str(uuid.uuid4())
    for volume in body.get("storage-volumes", []):
        _complete_volume(body, volume)
    answer = hmc.pass_on(request)
    group = hmc.resource(answer["object-uri"])
    group.properties["shared"] = body.get("shared", True)
    return {**answer, "element-uris": [one.uri for one in group.storage_volumes.list()]}


def modify(hmc: "Console", request: Request, group_id: str) -> Any:
    """Modify Storage Group Properties, volumes among them."""
    group = _group(hmc, group_id)
    others = [one for one in hmc.groups.list() if one is not group]
    check_name(request.body, others)
    for volume in request.body.get("storage-volumes", []):
        if volume.get("operation") == "create":
            _complete_volume(group.properties, volume)
    answer = hmc.pass_on(request)
    there = [one.uri for one in group.storage_volumes.list()]
    group.properties["storage-volume-uris"] = there
    _settle(group)
    return answer


def delete(hmc: "Console", request: Request, group_id: str) -> Any:
    """Delete Storage Group, which no partition may have."""
    group = _group(hmc, group_id)
    unless(not _partitions(hmc, group), 409, 1, "The storage group is attached to a partition")
    volumes = group.storage_volumes.list()
    hmc.pass_on(request)
    for volume in volumes:
        group.storage_volumes.remove(volume.oid)


def attach(hmc: "Console", request: Request, partition_id: str) -> None:
    """Attach Storage Group to Partition: one virtual storage resource for each path."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    _need_storage_groups(hmc)
    group = _named(hmc, request.body)
    having = _partitions(hmc, group)
    unless(
        partition not in having, 409, 1, "The storage group is attached to this partition already"
    )
    most = group.properties["max-partitions"] if group.properties["shared"] else 1
    unless(len(having) < most, 409, 1, f"The storage group goes to {most} partitions at most")
    ports = group.properties["candidate-adapter-port-uris"][: group.properties["connectivity"]]
    partition.properties["storage-group-uris"].append(group.uri)
    for port in ports:
        _add_resource(hmc, group, partition, port)


def detach(hmc: "Console", request: Request, partition_id: str) -> None:
    """Detach Storage Group from Partition; the virtual storage resources go."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    group = _named(hmc, request.body)
    attached = group.uri in partition.properties["storage-group-uris"]
    unless(attached, 409, 1, "The storage group is not attached to this partition")
    _leave(group, partition)


def partitions_of(hmc: "Console", request: Request, group_id: str) -> Any:
    """Get Partitions for a Storage Group."""
    names = ("object-uri", "name", "type", "status")
    having = _partitions(hmc, _group(hmc, group_id))
    return {"partitions": [{name: one.properties[name] for name in names} for one in having]}


def fulfill(hmc: "Console", request: Request, group_id: str, volume_id: str) -> None:
    """Fulfill FCP Storage Volume: somebody says where it is."""
    group, volume = _group(hmc, group_id), hmc.resource(request.uri.partition("/operations/")[0])
    body = request.body
    for name in ("world-wide-port-name", "logical-unit-number"):
        unless(name in body, 400, 5, f"{name}: needed")
        check_text(body, name, "[0-9a-f]{16}", "16 hexadecimal digits in lower case")
    volume.properties["fulfillment-state"] = "complete"
    volume.properties["paths"] = [_path(body, one) for one in _resources(group)]
    _settle(group)


def discover(hmc: "Console", request: Request, group_id: str) -> Started:
    """Start FCP Storage Discovery: a job, after which what was told is as it was told."""
    group = _group(hmc, group_id)
    return hmc.begin(lambda: _settle(group))


def leave_all(hmc: "Console", partition: Any) -> None:
    """A partition that goes lets go of its storage groups."""
    for uri in list(partition.properties["storage-group-uris"]):
        _leave(hmc.resource(uri), partition)


def check_volume_is_there(hmc: "Console", partition: Any) -> None:
    """What a partition starts from must be a volume, found, in a group that it has."""
    properties = partition.properties
    if properties["boot-device"] != "storage-volume":
        return
    volume = hmc.get(properties["boot-storage-volume"] or "")
    unless(volume, 409, 1, "boot-storage-volume names no volume")
    group = volume.manager.parent
    attached = group.uri in properties["storage-group-uris"]
    unless(attached, 409, 1, "The boot volume's storage group is not attached")
    state = volume.properties["fulfillment-state"]
    unless(state == "complete", 409, 1, f"The boot volume is {state}")


def _need_storage_groups(hmc: "Console") -> None:
    unless(hmc.machine.storage_groups, 404, 1, f"A {hmc.machine.name} has no storage groups")


def _group(hmc: "Console", group_id: str) -> Any:
    return hmc.resource(f"{_GROUPS}/{group_id}")


def _named(hmc: "Console", body: Body) -> Any:
    uri = body.get("storage-group-uri", "")
    group = hmc.get(uri) if isinstance(uri, str) and uri.startswith(_GROUPS) else None
    unless(group, 404, 2, f"There is no storage group {uri!r}")
    return group


def _fcp_ports(hmc: "Console", body: Body) -> list[str]:
    cpc = hmc.resource(body.get("cpc-uri", ""))
    adapters = [one for one in cpc.adapters.list() if one.properties["type"] == "fcp"]
    return [port for one in adapters for port in one.properties["storage-port-uris"]]


def _complete_volume(group: Any, volume: Body) -> None:
    unless("size" in volume, 400, 5, "size: needed")
    volume["element-id"] = volume_id = str(uuid.uuid4())
    volume.setdefault("name", f"{group['name'][:40]}-{volume_id[:8]}")
    volume.setdefault("description", "")
    volume.setdefault("usage", "data")
    volume["fulfillment-state"] = "pending"


def _partitions(hmc: "Console", group: Any) -> list[Any]:
    cpc = hmc.resource(group.properties["cpc-uri"])
    return [
        one for one in cpc.partitions.list() if group.uri in one.properties["storage-group-uris"]
    ]


def _resources(group: Any) -> list[Any]:
    return list(group.virtual_storage_resources.list())


def _add_resource(hmc: "Console", group: Any, partition: Any, port: str) -> None:
    wwpn = hmc.new_wwpn()
    group.virtual_storage_resources.add(
        {
            "element-id": str(uuid.uuid4()),
            "name": f"vhba_{len(_resources(group)) + 1}",
            "description": "",
            "partition-uri": partition.uri,
            "adapter-port-uri": port,
            "device-number": _free_number(hmc, partition),
            "world-wide-port-name": wwpn,
            "world-wide-port-name-info": {"world-wide-port-name": wwpn, "status": "validated"},
        }
    )


def _free_number(hmc: "Console", partition: Any) -> str:
    groups = (hmc.resource(uri) for uri in partition.properties["storage-group-uris"])
    taken = sum(len(_resources(group)) for group in groups)
    return f"{_FIRST + taken + sum(1 for _ in partition.hbas.list()):04X}"


def _path(body: Body, resource: Any) -> Body:
    return {
        "device-number": resource.properties["device-number"],
        "target-world-wide-port-name": body["world-wide-port-name"],
        "logical-unit-number": body["logical-unit-number"],
    }


def _leave(group: Any, partition: Any) -> None:
    for one in _resources(group):
        if one.properties["partition-uri"] == partition.uri:
            group.properties["virtual-storage-resource-uris"].remove(one.uri)
            group.virtual_storage_resources.remove(one.oid)
    partition.properties["storage-group-uris"].remove(group.uri)


def _settle(group: Any) -> None:
    states = {one.properties["fulfillment-state"] for one in group.storage_volumes.list()}
    group.properties["fulfillment-state"] = "complete" if states == {"complete"} else "pending"


OPERATIONS: Operations = (
    ("POST", _GROUPS, create),
    ("POST", f"{_GROUPS}/([^/]+)/operations/modify", modify),
    ("POST", f"{_GROUPS}/([^/]+)/operations/delete", delete),
    ("GET", f"{_GROUPS}/([^/]+)/operations/get-partitions", partitions_of),
    ("POST", f"{_GROUPS}/([^/]+)/operations/start-fcp-storage-discovery", discover),
    (
        "POST",
        f"{_GROUPS}/([^/]+)/storage-volumes/([^/]+)/operations/fulfill-fcp-storage-volume",
        fulfill,
    ),
    ("POST", "/api/partitions/([^/]+)/operations/attach-storage-group", attach),
    ("POST", "/api/partitions/([^/]+)/operations/detach-storage-group", detach),
)
