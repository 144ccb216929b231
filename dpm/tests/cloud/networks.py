"""Real Neutron with the DPM mechanism driver: API and RPC server."""

from cloud import ini
from cloud.ground import Ground
from lab.keystone import REGION
from lab.neutron_rpc import NeutronRpc
from lab.real_neutron import RealNeutron


class Networks:
    """Whoever made it ends it with :meth:`stop`."""

    def __init__(self, ground: Ground, port: int) -> None:
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
            sections=ini.text({"nova": nova, "ml2_type_vlan": {"network_vlan_ranges": "red"}}),
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
