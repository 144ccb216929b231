"""Rows of OVN's southbound database as ports: pure.

Schema: ovn-sb(5). Neutron's names and ids are in ``external_ids``, as its ML2/OVN driver writes
them.
"""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from firstlight.relay.ovn.ovsdb import DATABASE, MAP, TEXT, TEXTS
from firstlight.relay.resolvers.ports import Port

# The columns that are read, and no others: each relay holds a copy of every row.
SCHEMA: dict[str, Any] = {
    "name": DATABASE,
    "version": "1.0.0",
    "tables": {
        "Datapath_Binding": {"columns": {"external_ids": MAP}},
        "Port_Binding": {
            "columns": {
                "logical_port": TEXT,
                "mac": TEXTS,
                "chassis": {"type": {"key": "uuid", "min": 0, "max": 1}},
                "datapath": {"type": {"key": {"type": "uuid", "refTable": "Datapath_Binding"}}},
                "external_ids": MAP,
            }
        },
    },
}

_MAC = re.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}")
_NEUTRONS_NAME = "neutron-"


def port_of(
    logical_port: str, mac: Sequence[str], external_ids: Mapping[str, str], datapath: str
) -> Port | None:
    """The port of a bound row; None: it has no MAC (``unknown``), or its network is not Neutron's.

    Args:
        mac: ``MAC ADDRESS ...``; what follows the first are other machines' behind the port.
        datapath: the name of the row's datapath.
    """
    hardware, *addresses = mac[0].lower().split() if mac and mac[0] else [""]
    if not _MAC.fullmatch(hardware) or not datapath.startswith(_NEUTRONS_NAME):
        return None
    return Port(
        id=logical_port,
        network_id=datapath.removeprefix(_NEUTRONS_NAME),
        mac=hardware,
        addresses=tuple(filter(None, map(_canonical, addresses))),
        device_id=external_ids.get("neutron:device_id", ""),
        device_owner=external_ids.get("neutron:device_owner", ""),
        project_id=external_ids.get("neutron:project_id", ""),
    )


def _canonical(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return ""
