"""This host's share of a machine: what the operator gave it, checked against what is there."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import os_resource_classes as orc
import zhmcclient
from nova import exception
from nova.objects import fields
from oslo_config import cfg

from firstlight_dpm import names
from firstlight_dpm.errors import Gone, attempting
from firstlight_dpm.hmc.reachability import UP
from firstlight_dpm.options import StoragePort

#: As ``openstack hypervisor list`` has always shown these machines.
HYPERVISOR_TYPE = "PRSM"

UNLIMITED = -1

_NEEDED = ("max_processors", "max_memory", "physical_storage_adapter_mappings")


@dataclass(frozen=True)
class HostShare:
    """A CPC subset: how much of the machine one OpenStack host may use."""

    host: str
    #: Shared physical processors (IFLs) that one partition may have.
    processors: int
    #: MiB for all partitions together.
    memory: int
    #: Where partitions reach their volumes, the boot adapter first.
    ports: tuple[StoragePort, ...]

    @classmethod
    def of(cls, conf: cfg.ConfigOpts, host: str) -> "HostShare":
        """What ``[dpm]`` says; raises InvalidConfiguration with what to change."""
        missing = [name for name in _NEEDED if not conf.dpm[name]]
        if missing:
            raise _bad(f"set {', '.join(missing)} in [dpm], by which this host may use the machine")
        if conf.dpm.max_instances != UNLIMITED:
            raise _bad(
                f"[dpm] max_instances is {conf.dpm.max_instances}, which would limit nothing: "
                "remove it, and on the scheduler set [filter_scheduler] max_instances_per_host, "
                "with NumInstancesFilter in enabled_filters"
            )
        ports = tuple(conf.dpm.physical_storage_adapter_mappings)
        twice = sorted({str(port) for port in ports if ports.count(port) > 1})
        if twice:
            raise _bad(f"[dpm] physical_storage_adapter_mappings has {', '.join(twice)} twice")
        try:
            names.check_host(host)
        except names.BadHost as error:
            raise _bad(str(error)) from error
        return cls(host, conf.dpm.max_processors, conf.dpm.max_memory, ports)


def check(cpc: zhmcclient.Cpc, share: HostShare) -> None:
    """Raises InvalidConfiguration unless this machine, with all its properties, has the share.

    A machine that is down raises HypervisorUnavailable.
    """
    name = cpc.name
    if not cpc.get_property("dpm-enabled"):
        raise _bad(f"machine {name} is not in DPM mode; see [dpm] cpc_object_id")
    status = str(cpc.get_property("status")).lower()
    if status not in UP:
        raise exception.HypervisorUnavailable(f"machine {name} is {status}")
    _check_limit("max_processors", share.processors, cpc.get_property("processor-count-ifl"), name)
    _check_limit("max_memory", share.memory, cpc.get_property("storage-customer"), name)
    for port in share.ports:
        _check_port(cpc, port)


def _check_limit(option: str, wanted: int, there: int, machine: str) -> None:
    if wanted > there:
        raise _bad(
            f"[dpm] {option} is {wanted}, but machine {machine} has {there}; set it to that at most"
        )


def _check_port(cpc: zhmcclient.Cpc, port: StoragePort) -> None:
    line = f"[dpm] physical_storage_adapter_mappings has {port}, but"
    adapter = cpc.adapters.resource_object(f"/api/adapters/{port.adapter}")
    try:
        with attempting(f"looking for storage adapter {port.adapter}"):
            adapter.pull_full_properties()
    except Gone as error:
        raise _bad(f"{line} there is no such adapter (or the HMC's user may not see it)") from error
    if adapter.get_property("parent") != cpc.uri:
        # One HMC manages several machines, and shows the adapters of all of them.
        raise _bad(f"{line} adapter {adapter.name} is not of machine {cpc.name}")
    kind = adapter.get_property("type")
    if kind != "fcp":
        raise _bad(f"{line} adapter {adapter.name} is of type {kind}; only fcp reaches volumes")
    uris = adapter.prop("storage-port-uris", [])
    if not any(uri.endswith(f"/{port.port}") for uri in uris):
        raise _bad(f"{line} adapter {adapter.name} has no port {port.port}")


def check_owner(partitions: Iterable[zhmcclient.Partition], node: str) -> None:
    """Raises InvalidConfiguration if another cloud's compute node made one of these."""
    for partition in partitions:
        try:
            with attempting(f"reading the description of partition {partition.name}"):
                partition.pull_full_properties()
        except Gone:
            continue
        if maker := other_maker(partition.properties, node):
            raise _bad(
                f"partition {partition.name} was made by compute node {maker}, not by this one, "
                f"{node}: another cloud uses the same [DEFAULT] host on this machine, or this node "
                "has lost its state_path. Set another host here, or put back the file compute_id "
                f"that says {maker}; if this node has taken the other's place, remove node={maker} "
                "from the descriptions of the partitions on the HMC"
            )


def other_maker(partition: Mapping[str, Any], node: str) -> str | None:
    """The compute node that made a partition, by its properties; None if it was this one.

    Partitions that nova-dpm made do not say, and pass for this one's.
    """
    maker = names.node_of(str(partition.get("description") or ""))
    return None if maker == node else maker


def version(se_version: str) -> int:
    """The machine's level as Nova's number: 2.13.1 is 2013001."""
    major, minor, patch = (int(part) for part in [*se_version.split("."), "0", "0"][:3])
    return major * 1_000_000 + minor * 1_000 + patch


def resources(
    cpc: zhmcclient.Cpc, share: HostShare, used: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """What Nova's resource tracker shows; `used` are the properties of this host's partitions."""
    taken = list(used)
    return {
        "vcpus": share.processors,
        "memory_mb": share.memory,
        # Shared processors: partitions do not add up, the greatest says how many are in use.
        "vcpus_used": max((one["ifl-processors"] for one in taken), default=0),
        "memory_mb_used": sum(one["initial-memory"] for one in taken),
        # Every disk is a volume of Cinder's.
        "local_gb": 0,
        "local_gb_used": 0,
        "disk_available_least": 0,
        "hypervisor_type": HYPERVISOR_TYPE,
        "hypervisor_version": version(cpc.get_property("se-version")),
        "hypervisor_hostname": share.host,
        "cpc_name": cpc.name,
        "cpu_info": json.dumps(_cpu_info(share.processors)),
        "numa_topology": None,
        # The HMC does not tell; said, so that Nova does not ask for it at every `hypervisor list`.
        "stats": {"uptime": None},
        "supported_instances": [(fields.Architecture.S390X, fields.HVType.PRSM, fields.VMMode.HVM)],
    }


def _cpu_info(cores: int) -> dict[str, Any]:
    return {
        "arch": "s390x",
        "model": "host",
        "vendor": "IBM",
        "topology": {"sockets": 0, "cores": cores, "threads": 1},
        "features": [],
    }


def inventory(share: HostShare, processor_ratio: float) -> dict[str, dict[str, Any]]:
    """What Placement may give away: no disk, because every disk is a volume.

    PR/SM never gives more memory than there is, and nothing of this node's runs on the machine, so
    memory has a ratio of 1 and nothing is reserved, whatever Nova's options say.
    """
    return {
        orc.VCPU: _inventory(share.processors, processor_ratio),
        orc.MEMORY_MB: _inventory(share.memory, 1.0),
    }


def _inventory(total: int, ratio: float) -> dict[str, Any]:
    return {
        "total": total,
        "reserved": 0,
        "min_unit": 1,
        "max_unit": total,
        "step_size": 1,
        "allocation_ratio": ratio,
    }


def _bad(text: str) -> exception.InvalidConfiguration:
    return exception.InvalidConfiguration(text)
