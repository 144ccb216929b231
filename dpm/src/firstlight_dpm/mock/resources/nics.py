"""NICs and virtual switches: numbers, MAC addresses, types, as each generation has them."""

import re
import uuid
from typing import TYPE_CHECKING, Any

from firstlight_dpm.mock.refusal import unless
from firstlight_dpm.mock.request import (
    Body,
    Operations,
    Request,
    check_name,
    check_none_of,
    check_text,
    check_whole,
)

if TYPE_CHECKING:
    from firstlight_dpm.mock.console import Console

_READ_ONLY = {"class", "parent", "element-id", "element-uri"}
_TYPES = {"osd": "osd", "hipersockets": "iqd", "roce": "roce", "osh": "osh"}
_EXPRESS = ("neth", "osh")
#: The level from which on a NIC's MAC address and VLAN may be given.
_MACS = (2, 14)
#: One NIC takes three device numbers; the first names it.
_FIRST, _STEP, _LAST = 0x0001, 3, 0x7FFF


def create(hmc: "Console", request: Request, partition_id: str) -> Any:
    """Create NIC."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    body = request.body
    _check(hmc, body, partition.nics.list())
    adapter = _adapter_behind(hmc, body)
    _check_backing(hmc, body, adapter)
    body.setdefault("description", "")
    body.setdefault("device-number", _free_number(partition))
    body["element-id"] = str(uuid.uuid4())
    answer = hmc.pass_on(request)
    _complete(hmc, hmc.resource(answer["element-uri"]).properties, adapter)
    return answer


def update(hmc: "Console", request: Request, partition_id: str, nic_id: str) -> Any:
    """Update NIC Properties."""
    partition = hmc.resource(f"/api/partitions/{partition_id}")
    nic = hmc.resource(request.uri)
    others = [one for one in partition.nics.list() if one is not nic]
    _check(hmc, request.body, others)
    return hmc.pass_on(request)


def delete(hmc: "Console", request: Request, partition_id: str, nic_id: str) -> None:
    """Delete NIC; the virtual switch forgets it."""
    nic = hmc.resource(request.uri)
    hmc.pass_on(request)
    hmc.forget_nics([nic])


def connected(hmc: "Console", request: Request, switch_id: str) -> Any:
    """Get Connected VNICs of a Virtual Switch, which is a GET."""
    switch = hmc.resource(f"/api/virtual-switches/{switch_id}")
    return {"connected-vnic-uris": list(switch.properties["connected-vnic-uris"])}


def _check(hmc: "Console", body: Body, others: list[Any]) -> None:
    check_none_of(body, _READ_ONLY)
    check_name(body, others)
    if hmc.machine.level < _MACS:
        check_none_of(body, {"mac-address", "vlan-id", "vlan-type"})
    check_text(body, "device-number", "[0-9A-Fa-f]{4}", "four hexadecimal digits")
    taken = [one.properties["device-number"].lower() for one in others]
    number = body.get("device-number", "").lower()
    unless(number not in taken, 400, 8, f"The device number {number} is in use")
    # The second digit of a locally administered unicast address.
    check_text(
        body,
        "mac-address",
        "(?i)[0-9a-f][26ae](:[0-9a-f]{2}){5}",
        "a locally administered unicast address",
    )
    if body.get("vlan-id") is not None:
        check_whole(body, "vlan-id", 1, 4094)


def _adapter_behind(hmc: "Console", body: Body) -> Any:
    """The adapter's properties; the mock refuses what does not exist."""
    switch = hmc.get(str(body.get("virtual-switch-uri")))
    if switch:
        return hmc.resource(switch.properties["backing-adapter-uri"]).properties
    port = re.match(r"/api/adapters/[^/]+", str(body.get("network-adapter-port-uri")))
    adapter = hmc.get(port[0]) if port else None
    return adapter.properties if adapter else None


def _check_backing(hmc: "Console", body: Body, adapter: Any) -> None:
    express = bool(adapter) and adapter["type"] == "osh"
    if not hmc.machine.adapter_ports:
        check_none_of(body, {"type"})
        by_port = adapter and "network-adapter-port-uri" in body and adapter["type"] != "roce"
        unless(not by_port, 400, 7, "network-adapter-port-uri: this adapter has virtual switches")
    unless(not express or "type" in body, 400, 15, "type: needed on a Network Express adapter")
    unless(not express or body["type"] in _EXPRESS, 400, 7, f"type: one of {_EXPRESS} here")


def _free_number(partition: Any) -> str:
    taken = {
        one.properties["device-number"].upper()
        for one in (*partition.nics.list(), *partition.hbas.list())
    }
    numbers = (f"{number:04X}" for number in range(_FIRST, _LAST, _STEP))
    return next(number for number in numbers if number not in taken)


def _complete(hmc: "Console", nic: Any, adapter: Any) -> None:
    nic["type"] = nic["type"] if adapter["type"] == "osh" else _TYPES[adapter["type"]]
    nic.setdefault("virtual-switch-uri", None)
    nic.setdefault("network-adapter-port-uri", None)
    if hmc.machine.level >= _MACS:
        nic.setdefault("mac-address", f"02:ff:12:{_mac_tail(hmc)}")
        nic.setdefault("vlan-id", None)
        nic.setdefault("vlan-type", None)


def _mac_tail(hmc: "Console") -> str:
    number = f"{next(hmc.numbers):06x}"
    return f"{number[:2]}:{number[2:4]}:{number[4:]}"


OPERATIONS: Operations = (
    ("POST", "/api/partitions/([^/]+)/nics", create),
    ("POST", "/api/partitions/([^/]+)/nics/([^/]+)", update),
    ("DELETE", "/api/partitions/([^/]+)/nics/([^/]+)", delete),
    ("GET", "/api/virtual-switches/([^/]+)/operations/get-connected-vnics", connected),
)
