"""From ``physical_network_adapter_mappings`` to what NICs on those networks are plugged into."""

import logging
from collections.abc import Callable, Sequence
from itertools import combinations

import zhmcclient

from firstlight_dpm.backing import Backing
from firstlight_dpm.errors import attempting
from firstlight_dpm.options import NetworkPort

LOG = logging.getLogger(__name__)

_OPTION = "[dpm] physical_network_adapter_mappings"
_TYPES = ("osd", "hipersockets")
_NETWORK_EXPRESS = "network-express"  # z17's cards, a family of their own
_PARTITION_LINKS = "dpm-hipersockets-partition-link-management"


class BadMapping(ValueError):
    """A line of the mappings cannot work; the text says which, and why."""


def resolve(
    cpc: zhmcclient.Cpc, lines: Sequence[NetworkPort], *, adapter_ports: bool
) -> dict[str, Backing]:
    """By physical network, what NICs on it are plugged into.

    With `adapter_ports` that is the port itself, else the virtual switch on it.

    Raises:
        BadMapping: the lines contradict each other or the machine.
        HmcError: the machine could not be asked.
    """
    _check(lines)
    with attempting(f"looking for the adapters of {_OPTION}"):
        adapters = {adapter.uri: adapter for adapter in cpc.adapters.list()}
        find = _on_adapter if adapter_ports else _by_virtual_switch(cpc)
        return {line.physnet: find(line, _adapter(line, adapters)) for line in lines}


def _check(lines: Sequence[NetworkPort]) -> None:
    if not lines:
        raise BadMapping(f"set {_OPTION}: without it there is no network for partitions")
    for one, other in combinations(lines, 2):
        if one.physnet == other.physnet:
            raise BadMapping(f"{_OPTION} has {one.physnet} twice; one adapter port is all it takes")
        if one[1:] == other[1:]:
            raise BadMapping(
                f"{_OPTION} has {one.adapter}:{one.port} twice; a port has one network"
            )


def _adapter(line: NetworkPort, adapters: dict[str, zhmcclient.Adapter]) -> zhmcclient.Adapter:
    adapter = adapters.get(f"/api/adapters/{line.adapter}")
    if adapter is None:
        raise BadMapping(f"{_OPTION}: {line}: the machine has no adapter {line.adapter}")
    kind, family = (adapter.get_property(name) for name in ("type", "adapter-family"))
    if kind not in _TYPES and family != _NETWORK_EXPRESS:
        raise BadMapping(
            f"{_OPTION}: {line}: adapter {adapter.name} is of type {kind}; "
            f"networks of partitions need one of {', '.join(_TYPES)}"
        )
    if f"{adapter.uri}/network-ports/{line.port}" not in adapter.get_property("network-port-uris"):
        raise BadMapping(f"{_OPTION}: {line}: adapter {adapter.name} has no port {line.port}")
    if kind == "hipersockets" and adapter.manager.cpc.api_feature_enabled(_PARTITION_LINKS):
        LOG.warning(
            "%s: %s: this machine manages HiperSockets by partition links; whether it takes NICs "
            "beside them is not known",
            _OPTION,
            line,
        )
    return adapter


def _on_adapter(line: NetworkPort, _adapter: zhmcclient.Adapter) -> Backing:
    return Backing(line.adapter, line.port)


def _by_virtual_switch(
    cpc: zhmcclient.Cpc,
) -> Callable[[NetworkPort, zhmcclient.Adapter], Backing]:
    # A virtual switch's port is a number, an adapter port's element id is text.
    switches = {
        (switch.get_property("backing-adapter-uri"), str(switch.get_property("port"))): switch
        for switch in cpc.virtual_switches.list(full_properties=True)
    }

    def find(line: NetworkPort, adapter: zhmcclient.Adapter) -> Backing:
        switch = switches.get((adapter.uri, line.port))
        if switch is None:
            raise BadMapping(
                f"{_OPTION}: {line}: port {line.port} of adapter {adapter.name} has no virtual "
                "switch, so no NIC can be on it"
            )
        return Backing(switch.uri.rpartition("/")[2])

    return find
