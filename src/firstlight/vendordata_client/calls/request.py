"""What a target is sent: the request Nova makes, byte for byte."""

import json

from firstlight.instance import Instance

USER_AGENT = "openstack-nova-vendordata"
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "User-Agent": USER_AGENT,
}


def body(instance: Instance) -> bytes:
    """Exactly seven keys, in Nova's order; user data still base64, the host name without domain."""
    question = {
        "project-id": instance.project_id,
        "instance-id": instance.uuid,
        "image-id": instance.image_id,
        "user-data": instance.user_data,
        "hostname": instance.hostname,
        "metadata": instance.metadata,
        "boot-roles": instance.boot_roles,
    }
    return json.dumps(question).encode()
