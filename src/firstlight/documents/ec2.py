"""The EC2 tree: nested dictionaries whose leaves are text, numbers, lists or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from firstlight.documents import versions
from firstlight.documents.block_devices import block_device_mapping
from firstlight.documents.document import PLAIN, Document, Hole, as_json, as_lines
from firstlight.instance import Instance

# The one key whose listing shows another name than its own: `0` is listed as `0=<key name>`.
_LISTED_AS = "_name"

_REQUESTER = object()  # the leaf is the address of whoever asks
_GROUPS = object()  # the leaf is the security groups, which nobody has looked up


class SecurityGroupsNeeded(Exception):
    """The document shows security groups, and they have not been looked up."""


def ec2_document(
    tree: Mapping[str, Any], user_data: bytes | None, path: Sequence[str]
) -> Document | None:
    """The document at `path`, from below the version on; None if there is none.

    Below a leaf there is nothing. (Nova breaks with a 500 one level below and says 404 two levels
    below; metadata-api §8 lets us say 404.)

    Args:
        tree: of :func:`meta_data`, in that version.

    Raises:
        SecurityGroupsNeeded: it shows them, and the tree was made without.
    """
    node: Any = {"meta-data": tree}
    if user_data is not None:
        node["user-data"] = user_data
    for name in path:
        if not isinstance(node, dict) or name not in node:
            return None
        node = node[name]
    return _document(node)


def ec2_meta_data_json(
    instance: Instance, version: str, fqdn: str, groups: Sequence[str] | None
) -> Document:
    """``meta-data`` of `version` (one of the list, or latest) as one JSON object.

    Raises:
        SecurityGroupsNeeded: `groups` is None.
    """
    if groups is None:
        raise SecurityGroupsNeeded
    known = versions.resolve(version, versions.EC2)
    if known is None:
        raise ValueError(f"the EC2 tree has no version {version}")
    tree = meta_data(instance, known, fqdn, groups)
    return as_json({name: None if leaf is _REQUESTER else leaf for name, leaf in tree.items()})


def meta_data(
    instance: Instance, version: str, fqdn: str, groups: Sequence[str] | None
) -> dict[str, Any]:
    """The tree under ``meta-data``, with native types; `groups` None: not looked up."""
    ids = instance.ec2_ids
    if ids is None:
        raise ValueError(f"instance {instance.uuid} has no EC2 ids; its source must allot them")
    tree: dict[str, Any] = {
        "ami-id": None if ids.image is None else f"ami-{ids.image:08x}",
        "ami-launch-index": instance.launch_index,
        "ami-manifest-path": "FIXME",
        "instance-id": f"i-{ids.instance:08x}",
        "hostname": fqdn,
        "local-ipv4": next(_fixed_ipv4(instance), _REQUESTER),
        "reservation-id": instance.reservation_id,
        "security-groups": _GROUPS if groups is None else list(groups),
    }
    if instance.keypair is not None:
        key = instance.keypair
        tree["public-keys"] = {"0": {_LISTED_AS: f"0={key.name}", "openssh-key": key.ec2_text}}
    if version >= "2007-01-19":
        tree |= {"local-hostname": fqdn, "public-hostname": fqdn}
        tree["public-ipv4"] = next(_floating(instance), "")
    if version >= "2007-08-29":
        tree["instance-type"] = instance.flavor
    if version >= "2007-12-15":
        tree["block-device-mapping"] = block_device_mapping(instance)
        if ids.kernel is not None:
            tree["kernel-id"] = f"aki-{ids.kernel:08x}"
        if ids.ramdisk is not None:
            tree["ramdisk-id"] = f"ari-{ids.ramdisk:08x}"
    if version >= "2008-02-01":
        tree["placement"] = {"availability-zone": instance.availability_zone}
    if version >= "2008-09-01":
        tree["instance-action"] = "none"
    return tree


def _fixed_ipv4(instance: Instance) -> Iterator[str]:
    for interface in instance.interfaces:
        for subnet in interface.network.subnets if interface.network else ():
            if subnet.version == 4:
                yield from (fixed.address for fixed in subnet.addresses)


def _floating(instance: Instance) -> Iterator[str]:
    for interface in instance.interfaces:
        for subnet in interface.network.subnets if interface.network else ():
            for fixed in subnet.addresses:
                yield from fixed.floating


def _document(node: Any) -> Document:
    if node is _GROUPS:
        raise SecurityGroupsNeeded
    if node is _REQUESTER:
        return Document(PLAIN, b"", Hole.REQUESTER)
    if isinstance(node, dict):
        return as_lines([_entry(name, node[name]) for name in sorted(node) if name != _LISTED_AS])
    if isinstance(node, list):
        return as_lines(node)
    return Document(PLAIN, node if isinstance(node, bytes) else str(node).encode())


def _entry(name: str, node: Any) -> str:
    if not isinstance(node, dict):
        return name
    return str(node.get(_LISTED_AS, f"{name}/"))
