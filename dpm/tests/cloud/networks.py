"""Real Neutron with the DPM mechanism driver: API, RPC server, and any number of agents."""

from pathlib import Path

from cloud import ini
from cloud.ground import Ground
from cloud.program import Program
from lab.keystone import REGION
from lab.neutron_rpc import NeutronRpc
from lab.real_neutron import RealNeutron


class Networks:
    """Whoever made it ends it with :meth:`stop`."""

    def __init__(self, ground: Ground, port: int) -> None:
        self._ground = ground
        room = ground.room("neutron")
        # Nova, whatever its policy says, finds the server that an event is about for
        # administrators only.
        nova = ground.keystone.credentials("admin", "admin", region_name=REGION)
        self.neutron = RealNeutron(
            ground.environment,
            room,
            port,
            ground.keystone,
            {
                "transport_url": ground.bus,
                "rpc_workers": "1",
                "notify_nova_on_port_status_changes": "true",
                "notify_nova_on_port_data_changes": "true",
                "service_plugins": "",
            },
            drivers="dpm",
            database=ground.database.database("neutron"),
            sections=ini.text({"nova": nova}),
        )
        self._rpc = NeutronRpc(ground.environment, room)

    def start(self) -> None:
        """Make the database and serve; returns when the API answers."""
        self.neutron.create()
        self._rpc.start()

    def stop(self) -> None:
        """Serve no more."""
        self.neutron.stop()
        self._rpc.stop()

    def agent(self, room: Path, host: str, *more: ini.Sections) -> Program:
        """A ``neutron-dpm-agent`` of the subset `host`, not started."""
        own = {"DEFAULT": {"host": host, "transport_url": self._ground.bus}}
        conf = ini.write(room / "neutron_dpm_agent.conf", own, *more)
        return self._ground.program(room, "neutron-dpm-agent", "--config-file", conf)
