"""Real Nova: API under uWSGI, conductor and scheduler."""

import json
from pathlib import Path

from cloud import ini
from cloud.ground import Ground
from cloud.service import Service
from lab.apis import nova_api
from lab.keystone import REGION
from lab.uwsgi import HOST, run

SECRET = "s3cret"
FLAVORS = [
    {"name": "m1.tiny", "flavorid": "1", "memory_mb": 512, "vcpus": 1, "root_gb": 1},
    {"name": "m1.small", "flavorid": "2", "memory_mb": 2048, "vcpus": 1, "root_gb": 20},
]
_INSIDE = Path(__file__).parent / "inside" / "nova_databases.py"


class Compute(Service):
    """The services of the control plane.

    Attributes:
        conf: nova.conf of the services with databases.
        common: what every service of Nova is told, a host's as well.
    """

    def __init__(self, ground: Ground, port: int) -> None:
        self._ground = ground
        self._room = ground.room("nova")
        databases = {name: ground.database.database(name) for name in _DATABASES}
        self.common = _common(ground)
        control = _control(databases, self._room)
        self.conf = ini.write(self._room / "nova.conf", self.common, control)
        super().__init__(
            nova_api(ground.environment, self.conf, port, ground.keystone),
            [
                ground.program(self._room, name, "--config-file", self.conf)
                for name in ("nova-conductor", "nova-scheduler")
            ],
        )

    def make_database(self) -> None:
        """API database, two cells, flavors."""
        words = ("-P", str(_INSIDE), str(self.conf), json.dumps(FLAVORS))
        at = (self._ground.environment, self._room)
        run(*at, "python", *words, variables={"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"})


_DATABASES = ("nova_api", "nova", "nova_cell0")


def _common(ground: Ground) -> ini.Sections:
    """What every service of Nova is told."""
    return {
        "DEFAULT": {
            "transport_url": ground.bus,
            "my_ip": HOST,
            "report_interval": "5",
            "service_down_time": "60",
        },
        "cinder": {
            **ground.user("nova"),
            "catalog_info": "block-storage::publicURL",
            "os_region_name": REGION,
        },
        "glance": {"region_name": REGION},
        "keystone_authtoken": ground.tokens(),
        "neutron": {
            **ground.user("neutron"),
            "service_metadata_proxy": "true",
            "metadata_proxy_shared_secret": SECRET,
        },
        "oslo_concurrency": {"lock_path": str(ground.directory / "locks")},
        "placement": ground.user("nova"),
        "service_user": {**ground.user("nova"), "send_service_user_token": "true"},
        "vnc": {"enabled": "false"},
    }


def _control(databases: dict[str, str], room: Path) -> ini.Sections:
    """What only the services with databases are told."""
    return {
        "DEFAULT": {"host": "control1", "state_path": str(room)},
        "api_database": {"connection": databases["nova_api"]},
        "database": {"connection": databases["nova"]},
        "conductor": {"workers": "1"},
        "scheduler": {"workers": "1", "discover_hosts_in_cells_interval": "2"},
    }
