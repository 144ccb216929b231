"""``dpm_nics``: what a guest is told of its network cards, on a config drive or as vendor data.

The contract is guest/firstlight_guest/dpm/dpm_nics.schema.json. It has no limit of twelve cards, as
a kernel command line has.
"""

import logging
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import zhmcclient

from firstlight_dpm import names
from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import attempting
from firstlight_dpm.hmc import Hmc
from firstlight_dpm.macs import is_local_unicast

LOG = logging.getLogger(__name__)

#: The key of ``meta_data.json`` on a config drive, and the provider of vendor data.
KEY = "dpm_nics"

# PCI functions, which Linux finds by itself; the others are groups of three devices.
_PCI = ("roce", "cna", "neth")

Card = dict[str, Any]


def card(nic: Mapping[str, Any], port: int, network: str | None = None) -> Card | None:
    """One NIC, by its properties on the HMC; None if the guest has nothing to do about it.

    Args:
        nic: its properties.
        port: of the adapter that it is on, see :func:`adapter_port`.
        network: Neutron's id of the port's network, if it is known.
    """
    neutron_port = names.port_of(str(nic.get("name")))
    if neutron_port is None or nic.get("type") in _PCI:
        return None
    mac = names.mac_of(str(nic.get("description"))) or str(nic.get("mac-address")).lower()
    if not is_local_unicast(mac):
        LOG.warning("the NIC of port %s has no MAC address that a guest could use", neutron_port)
        return None
    told = {
        "devno": str(nic["device-number"]).lower(),
        "port": port,
        "mac": mac,
        "port_id": neutron_port,
        "network_id": network,
        "vlan": _vlan(nic),
    }
    return {key: value for key, value in told.items() if value is not None}


def cards(hmc: Hmc, partition: zhmcclient.Partition, networks: Mapping[str, str]) -> list[Card]:
    """Those of a partition, by device number.

    Args:
        hmc: the partition's.
        partition: as it is now; it is read anew.
        networks: ids of Neutron's networks, by port, as far as they are known.

    Raises:
        HmcError: it could not be found out.
    """
    with attempting(f"reading the NICs of partition {partition.name}"):
        partition.pull_full_properties()  # with the list of its NICs
        nics = partition.nics.list(full_properties=True)
        port_of = cache(partial(adapter_port, hmc))  # many NICs are on few virtual switches
        made = [_card(nic.properties, port_of, networks) for nic in nics]
    return sorted((one for one in made if one), key=lambda one: str(one["devno"]))


def adapter_port(hmc: Hmc, backing: Backing) -> int:
    """The number of the adapter's port; raises zhmcclient's exceptions."""
    if backing.port is not None:
        return int(backing.port)
    switches = hmc.cpc().virtual_switches
    switch = switches.resource_object(backing.nic_property[1])
    return int(switch.get_property("port"))


def _card(
    nic: Mapping[str, Any], port_of: Callable[[Backing], int], networks: Mapping[str, str]
) -> Card | None:
    backing = Backing.of_nic(nic)
    if backing is None:
        return None
    neutron_port = names.port_of(str(nic.get("name")))
    return card(nic, port_of(backing), networks.get(neutron_port or ""))


def _vlan(nic: Mapping[str, Any]) -> int | None:
    """The VLAN that the guest has to tag for; the machine does it where it enforces one."""
    return None if nic.get("vlan-type") == "enforced" else nic.get("vlan-id")
