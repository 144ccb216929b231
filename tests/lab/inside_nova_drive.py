"""Runs inside the lab's own environment: config drives by Nova's own code.

    python inside_nova_drive.py NOVA_CONF < drives.json > errors.json

Each drive is ``{"uuid", "output", "files", "admin_pass", "node"}``: the image to make, injected
files by path, and of a bare-metal server what Ironic says of its node, else null. Printed is by
UUID why Nova could not make it; null: it could.
"""

from __future__ import annotations  # nova.objects fills itself at register_all()

import json
import sys
from types import SimpleNamespace
from typing import Any

from nova import monkey_patch

monkey_patch.patch(backend="threading")

from nova import config, context, objects  # noqa: E402  after Nova's patching
from nova.api.metadata import base  # noqa: E402  after Nova's patching
from nova.virt import configdrive  # noqa: E402  after Nova's patching
from nova.virt.ironic.driver import IronicDriver  # noqa: E402  after Nova's patching


def make(drive: dict[str, Any]) -> str | None:
    """As the libvirt driver does, or the Ironic driver for its network metadata."""
    ctxt = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(ctxt, drive["uuid"])
    context.set_target_cell(ctxt, mapping.cell_mapping)
    attributes = ["metadata", "system_metadata", "info_cache", "flavor", "keypairs", "ec2_ids"]
    instance = objects.Instance.get_by_uuid(ctxt, drive["uuid"], expected_attrs=attributes)
    network_info = instance.info_cache.network_info
    try:
        metadata = base.InstanceMetadata(
            instance,
            content=[*drive["files"].items()],
            extra_md={"admin_pass": drive["admin_pass"]} if drive["admin_pass"] else {},
            network_info=network_info,
            network_metadata=drive["node"] and network_metadata(drive["node"], network_info),
        )
        with configdrive.ConfigDriveBuilder(instance_md=metadata) as builder:
            builder.make_drive(drive["output"])
    except Exception as error:  # noqa: BLE001  whatever stops Nova is what is asked for
        return repr(error)
    return None


def network_metadata(node: dict[str, Any], network_info: Any) -> Any:
    """By the Ironic driver, on objects with the attributes of openstacksdk's."""
    names = {"uuid": "id", "portgroup_uuid": "port_group_id"}
    attached = {"internal_info": {}, "extra": {}, "port_group_id": None, "properties": {}}

    def found(kind: str) -> list[SimpleNamespace]:
        renamed = ({names.get(key, key): one[key] for key in one} for one in node[kind])
        return [SimpleNamespace(**(attached | one)) for one in renamed]

    ironic = SimpleNamespace(
        ports=lambda **_query: found("ports"), port_groups=lambda **_query: found("portgroups")
    )
    driver = SimpleNamespace(ironic_connection=ironic)
    return IronicDriver._get_network_metadata(driver, SimpleNamespace(id="node"), network_info)


config.parse_args(["inside_nova_drive", "--config-file", sys.argv[1]])
objects.register_all()
print(json.dumps({drive["uuid"]: make(drive) for drive in json.load(sys.stdin)}))
