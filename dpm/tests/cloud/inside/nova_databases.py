"""Runs inside the cloud's environment: Nova's databases, as an operator makes them.

    python nova_databases.py NOVA_CONF FLAVORS < /dev/null

FLAVORS is JSON: a list of ``{"name", "flavorid", "memory_mb", "vcpus", "root_gb"}``.
"""

import json
import sys

from nova import monkey_patch

monkey_patch.patch(backend="threading")

import nova.conf  # noqa: E402  after Nova's patching
from nova import config, context, objects  # noqa: E402  after Nova's patching
from nova.cmd import manage  # noqa: E402  after Nova's patching


def main(conf: str, flavors: str) -> None:
    """The API database, cell0, cell1 and the flavors."""
    config.parse_args(["nova-manage", "--config-file", conf])
    objects.register_all()
    url = nova.conf.CONF.database.connection
    manage.ApiDbCommands().sync()
    manage.CellV2Commands().map_cell0(f"{url}_cell0")
    manage.CellV2Commands().create_cell(name="cell1")
    manage.DbCommands().sync()
    for flavor in json.loads(flavors):
        objects.Flavor(context.get_admin_context(), **_UNUSED, **flavor).create()


_UNUSED = {
    "ephemeral_gb": 0,
    "swap": 0,
    "rxtx_factor": 1.0,
    "is_public": True,
    "disabled": False,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
