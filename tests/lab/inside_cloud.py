"""Runs inside the lab's own environment: records that only Nova's and Cinder's services would make.

    python inside_cloud.py nova NOVA_CONF < what.json
    python inside_cloud.py cinder CINDER_CONF < what.json

For nova: ``{"volumes": {SERVER: VOLUME}, "actions": [[SERVER, ACTION], ...]}``, for cinder:
``[{"id", "project_id", "bootable", "image"}, ...]`` where image is the volume's copy of an image's
properties.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def in_nova(conf: str, what: dict[str, Any]) -> None:
    """Volumes that servers were booted from, and what was done to servers."""
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    from nova import config, context, objects

    config.parse_args(["inside_cloud", "--config-file", conf])
    objects.register_all()
    for server, volume in what["volumes"].items():
        objects.BlockDeviceMapping(
            _cell_of(server, context, objects),
            instance_uuid=server,
            source_type="volume",
            destination_type="volume",
            volume_id=volume,
            boot_index=0,
            device_name="/dev/vda",
            connection_info="{}",
            delete_on_termination=False,
            no_device=False,
        ).create()
    for server, action in what["actions"]:
        ctxt = _cell_of(server, context, objects)  # each has a request id of its own
        objects.InstanceAction.action_start(ctxt, server, action, want_result=False)


def _cell_of(server: str, context: Any, objects: Any) -> Any:
    ctxt = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(ctxt, server)
    context.set_target_cell(ctxt, mapping.cell_mapping)
    return ctxt


def in_cinder(conf: str, what: list[dict[str, Any]]) -> None:
    """Volumes, with what they remember of their image."""
    from cinder import context, objects
    from cinder.common import config  # noqa: F401  (registers the options)
    from cinder.db import api as db
    from oslo_config import cfg

    objects.register_all()
    cfg.CONF(["--config-file", conf], project="cinder")
    admin = context.get_admin_context()
    kind = db.volume_type_create(admin, {"name": "lab", "extra_specs": {}})
    for volume in what:
        fixed = {"user_id": "lab", "size": 1, "status": "in-use", "attach_status": "attached"}
        ours = {key: volume[key] for key in ("id", "project_id", "bootable")}
        db.volume_create(admin, {**fixed, **ours, "volume_type_id": kind["id"]})
        for key, value in volume["image"].items():
            db.volume_glance_metadata_create(admin, volume["id"], key, value)


if __name__ == "__main__":
    fill = in_nova if sys.argv[1] == "nova" else in_cinder
    fill(sys.argv[2], json.load(sys.stdin))
