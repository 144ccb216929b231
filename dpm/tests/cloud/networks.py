"""Real Neutron: API under uWSGI, RPC server, and any number of DPM agents."""

import time
from pathlib import Path

from cloud import ini
from cloud.ground import Ground
from cloud.program import Program
from lab.uwsgi import Uwsgi, run

_MAKE_SCHEMA = """\
import sys
from sqlalchemy import create_engine
from neutron.db.migration.models import head
head.get_metadata().create_all(create_engine(sys.argv[1]))
"""


class Networks:
    """Whoever made it ends it with :meth:`stop`."""

    def __init__(self, ground: Ground, port: int) -> None:
        self._ground = ground
        self._room = ground.room("neutron")
        self._database = ground.database.database("neutron")
        self._conf = ini.write(self._room / "neutron.conf", self._sections())
        self.api: Uwsgi = ground.api(
            self._room,
            port,
            "neutron.wsgi.api",
            *("--set", f"start-time={int(time.time())}"),
            OS_NEUTRON_CONFIG_DIR=str(self._room),
            OS_NEUTRON_CONFIG_FILES="neutron.conf",
        )
        self._rpc = ground.program(self._room, "neutron-rpc-server", "--config-file", self._conf)

    def make_database(self) -> None:
        """Its tables, from its models, which takes a tenth of its migrations' time."""
        at = (self._ground.environment, self._room)
        run(*at, "python", "-P", "-c", _MAKE_SCHEMA, self._database)
        run(*at, "neutron-db-manage", "--config-file", str(self._conf), "stamp", "heads")

    def start(self) -> None:
        """Serve; returns when the API answers."""
        self._rpc.start()
        self.api.start()

    def stop(self) -> None:
        """Serve no more."""
        self.api.stop()
        self._rpc.stop()

    def agent(self, room: Path, host: str, *more: ini.Sections) -> Program:
        """A ``neutron-dpm-agent`` of the subset `host`, not started."""
        own = {"DEFAULT": {"host": host, "transport_url": self._ground.bus}}
        conf = ini.write(room / "neutron_dpm_agent.conf", own, *more)
        return self._ground.program(room, "neutron-dpm-agent", "--config-file", conf)

    def _sections(self) -> ini.Sections:
        room, ground = self._room, self._ground
        return {
            "DEFAULT": {
                "log_file": str(room / "neutron.log"),
                "state_path": str(room),
                "transport_url": ground.bus,
                "api_paste_config": str(ground.environment / "etc" / "neutron" / "api-paste.ini"),
                "core_plugin": "ml2",
                "service_plugins": "",
                "api_workers": "0",
                "rpc_workers": "1",
                "rpc_state_report_workers": "0",
            },
            "database": {"connection": self._database},
            "keystone_authtoken": ground.tokens(),
            "ml2": {
                "type_drivers": "flat,vlan",
                "tenant_network_types": "flat",
                "mechanism_drivers": "dpm",
            },
            "nova": ground.user("nova"),
            "oslo_concurrency": {"lock_path": str(room)},
        }
