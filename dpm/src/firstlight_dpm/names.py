"""Names and marks on the HMC: how a partition or a NIC says whose it is.

The forms are nova-dpm's, so partitions and NICs that exist are recognised. Only the partition's
description says more than it did: the node that made it, by which two clouds with the same host
are told apart.
"""

import re

#: ``OpenStack-`` + host + ``-`` + 36 characters of UUID must fit an HMC name, which has 64.
MAX_HOST = 17

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NIC = re.compile(rf"OpenStack_Port_({_UUID})")
_MAC = re.compile(r"\bmac=([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?![0-9a-f:-])", re.IGNORECASE)
_SUBSET = re.compile(r"\bCPCSubset= ?(\S+?),?(?= |$)")
_NODE = re.compile(rf"\bnode=({_UUID})(?= |$)")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class BadHost(ValueError):
    """``[DEFAULT] host`` cannot be part of a partition's name; the text says what to set."""


def check_host(host: str) -> str:
    """The host, if names on the HMC can carry it; raises BadHost."""
    if len(host) > MAX_HOST:
        raise BadHost(
            f"[DEFAULT] host is {host!r}, which has {len(host)} characters; partition names on the "
            f"HMC leave it {MAX_HOST}. Set [DEFAULT] host to a name for this CPC subset of at "
            f"most {MAX_HOST} characters, the same for nova-compute and neutron-dpm-agent (the "
            "default is the node's name)."
        )
    if not _HOST.fullmatch(host):
        raise BadHost(
            f"[DEFAULT] host is {host!r}; set it to letters, digits, '.', '-' and '_' only, "
            "beginning with a letter or a digit, because names on the HMC carry it."
        )
    return host


def partition_name(host: str, instance_uuid: str) -> str:
    """The partition of an instance: the only link between the two."""
    return f"OpenStack-{host}-{instance_uuid}"


def instance_of(host: str, name: str) -> str | None:
    """The UUID of the instance whose partition this is; None if it is not of this host."""
    found = re.fullmatch(rf"OpenStack-{re.escape(host)}-({_UUID})", name)
    return found[1] if found else None


def partition_description(host: str, node: str | None = None) -> str:
    """Says whose the partition is; `node` is the UUID of the compute node that made it."""
    return f"OpenStack CPCSubset={host}" + (f" node={node}" if node else "")


def node_of(description: str) -> str | None:
    """The UUID of the compute node that made the partition; None if it does not say."""
    found = _NODE.search(description)
    return found[1] if found else None


def nic_name(port_uuid: str) -> str:
    """The NIC of a Neutron port."""
    return f"OpenStack_Port_{port_uuid}"


def port_of(name: str) -> str | None:
    """The UUID of the Neutron port whose NIC this is; None if it is of none."""
    found = _NIC.fullmatch(name)
    return found[1] if found else None


def nic_description(host: str, mac: str) -> str:
    """Says whose the NIC is; the MAC address is written with colons."""
    return f"OpenStack mac={mac}, CPCSubset={host}"


def mac_of(description: str) -> str | None:
    """The MAC address a NIC's description names, in lower case with colons; None without."""
    found = _MAC.search(description)
    return found[1].lower().replace("-", ":") if found else None


def subset_of(description: str) -> str | None:
    """The host that a partition's, NIC's or HBA's description names, exactly; None if not ours."""
    if not description.startswith("OpenStack"):
        return None
    found = _SUBSET.search(description)
    return found[1] if found else None


def hba_name(adapter_id: str, port: str) -> str:
    """The HBA on one storage port, unique within its partition."""
    return f"OpenStack_Port_{adapter_id}_{port}"


def hba_description(host: str) -> str:
    """Says whose the HBA is (the blank has always been there)."""
    return f"OpenStack CPCSubset= {host}"
