"""What cloud-init makes of an instance's documents, without a guest.

The rules are those observed in cloud-init 22.4 to 26.2 (metadata-api §6.1): it reads version
2018-08-27, and of each vendor data document only a string or a list, either bare or under the key
``cloud-init``, one level down.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from firstlight.documents import versions

VERSION = versions.ROCKY  # the newest that cloud-init knows

Read = Callable[[str], bytes | None]  # a document of VERSION by name; None: there is none


def cloud_init_view(read: Read) -> dict[str, Any]:
    """What cloud-init would set, as plain values in the order a person wants them.

    Raises:
        ValueError: a document is not what cloud-init accepts; it would reject the datasource.
    """
    meta_data = _json(read, "meta_data.json")
    if not isinstance(meta_data, dict) or not meta_data.get("uuid"):
        raise ValueError("meta_data.json has no uuid: cloud-init rejects the datasource")
    user_data = read("user_data")
    return {
        "instance-id": meta_data["uuid"],
        "local-hostname": meta_data.get("hostname"),
        "availability-zone": meta_data.get("availability_zone"),
        "public-keys": list(meta_data.get("public_keys", {}).values()),
        "metadata": meta_data.get("meta", {}),
        "network": _network(_json(read, "network_data.json")),
        "user-data": "none" if user_data is None else _kind(user_data),
        "vendor-data": _vendor(_json(read, "vendor_data.json")),
        "vendor-data2": _vendor(_json(read, "vendor_data2.json")),
    }


def _json(read: Read, name: str) -> Any:
    body = read(name)
    if body is None:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: cloud-init rejects the datasource") from error


def _network(data: Any) -> list[dict[str, Any]] | str:
    if data is None:
        return "no network_data.json: cloud-init falls back to DHCP on the first interface"
    if not data.get("links"):
        return "network_data.json names no links: cloud-init configures no interface"
    links = {
        link["id"]: {
            "mac": link["ethernet_mac_address"],
            **({"mtu": link["mtu"]} if link.get("mtu") else {}),
            "addresses": [],
        }
        for link in data["links"]
    }
    for network in data.get("networks", ()):
        links[network["link"]]["addresses"].append(_address(network))
    return list(links.values())


def _address(network: Mapping[str, Any]) -> str:
    kind = str(network["type"])
    if "ip_address" not in network or kind not in ("ipv4", "ipv6"):
        return kind.replace("_", " by ", 1)
    routes = [route["gateway"] for route in network["routes"] if route["netmask"] in _EVERYWHERE]
    via = f" via {routes[0]}" if routes else ""
    return f"{network['ip_address']} netmask {network['netmask']}{via}"


_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  (netmasks)


def _kind(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        return f"gzip, {len(data)} bytes"
    first = data.split(b"\n", 1)[0][:60].decode("utf-8", "replace").strip()
    return f"{first}, {len(data)} bytes"


def _vendor(value: Any) -> str:
    if not value:
        return "nothing"
    if isinstance(value, dict):
        inner = value.get("cloud-init")
        if inner is None:
            keys = ", ".join(value)
            return f"nothing for cloud-init itself (no key cloud-init); others may read: {keys}"
        if isinstance(inner, dict):
            return "ignored: the value of cloud-init is an object and must be a string or a list"
        value = inner
    if isinstance(value, str):
        return f"used: {_kind(value.encode())}"
    return f"used: a list of {len(value)}" if isinstance(value, list) else "ignored: a number"
