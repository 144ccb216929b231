"""What Cinder is told of a server, so that it maps volumes to the server's own ports."""

from collections.abc import Sequence
from typing import Any


def connector(uuid: str, wwpns: Sequence[str], address: str) -> dict[str, Any]:
    """The volume connector of an instance.

    `host` is the instance's UUID, so that arrays keep a host object for each server; `address` is
    this node's. The node itself never sees the volume, hence no local attach. The HMC tells no
    node names, but Cinder's Fibre Channel drivers refuse a connector without any, and some pair
    them with the port names; so each port stands for a node of its own.
    """
    return {
        "host": uuid,
        "ip": address,
        "wwpns": list(wwpns),
        "wwnns": list(wwpns),
        "platform": "s390x",
        "os_type": "linux",
        "multipath": True,
        "do_local_attach": False,
    }
