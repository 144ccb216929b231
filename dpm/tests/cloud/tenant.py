"""Whoever has servers: through OpenStack's SDK, which asks faster than a new command each time."""

from typing import Any

import openstack

from cloud.ground import Ground
from cloud.walk import PATIENCE
from lab.keystone import REGION
from support.servers.databases import eventually

_WAIT: dict[str, Any] = {"interval": 0.3, "wait": PATIENCE}  # seconds; the SDK looks every two

# Of the SDK's own next releases.
FUTURE = "ignore::PendingDeprecationWarning"


class Tenant:
    """An administrator with an image and a network; servers boot from copies of the image."""

    def __init__(self, ground: Ground, image: str, network: str) -> None:
        credentials = dict(ground.keystone.credentials("admin", "admin"))
        self.cloud = openstack.connection.Connection(
            auth_type=credentials.pop("auth_type"), auth=credentials, region_name=REGION
        )
        self._image, self._network = image, network

    def volume(self, name: str) -> Any:
        """A volume with the image on it."""
        image = self.cloud.image.find_image(self._image).id
        made = self.cloud.block_storage.create_volume(name=name, size=1, image_id=image)
        return self.cloud.block_storage.wait_for_status(made, "available", **_WAIT)

    def server(self, name: str, host: str) -> Any:
        """A server that runs on this host, with a volume `name`.

        Raises:
            openstack.exceptions.ResourceFailure: it came to the status ERROR.
        """
        return self.runs(self.asked_for(name, self.volume(name), host), "ACTIVE")

    def asked_for(self, name: str, volume: Any, host: str, **more: Any) -> Any:
        """A server that is being made; `more` is said of it in the request."""
        boot = {
            "uuid": volume.id,
            "source_type": "volume",
            "destination_type": "volume",
            "boot_index": 0,
        }
        network = self.cloud.network.find_network(self._network).id
        return self.cloud.compute.create_server(
            name=name,
            host=host,
            flavor_id="1",
            networks=[{"uuid": network}],
            block_device_mapping_v2=[boot],
            **more,
        )

    def runs(self, server: Any, status: str) -> Any:
        """The server once it has that status."""
        return self.cloud.compute.wait_for_server(server, status, **_WAIT)

    def remove(self, server: Any) -> None:
        """Delete the server and the volume of its name; returns when both are gone."""
        self.cloud.compute.delete_server(server)
        self.cloud.compute.wait_for_delete(server, **_WAIT)
        volume = self.cloud.block_storage.find_volume(server.name)
        assert eventually(lambda: self._status(volume) == "available", PATIENCE)
        self.cloud.block_storage.delete_volume(volume)
        self.cloud.block_storage.wait_for_delete(volume, **_WAIT)

    def ports(self, server: Any) -> dict[str, str]:
        """The status of each of its ports, by id."""
        return {port.id: port.status for port in self.cloud.network.ports(device_id=server.id)}

    # -- what an administrator sees of a host ------------------------------------------------------

    def sees(self, host: str) -> bool:
        """Whether both of its services are up, and the scheduler knows it."""
        return bool(self._hypervisors(host)) and bool(self._agent(host))

    def devices(self, host: str) -> int:
        """How many NICs its agent has."""
        return int(self._agent(host)[0].configuration["devices"])

    def agent_since(self, host: str) -> str:
        """When its agent that reports now was started."""
        return str(self._agent(host)[0].started_at)

    def used(self, host: str) -> dict[str, int]:
        """What placement has given away of it, by resource class."""
        (provider,) = self._placement(f"/resource_providers?name={host}")["resource_providers"]
        usages: dict[str, int] = self._placement(f"/resource_providers/{provider['uuid']}/usages")
        return dict(usages["usages"])

    def allocations(self) -> dict[str, dict[str, int]]:
        """What placement has given away of every host."""
        providers = self._placement("/resource_providers")["resource_providers"]
        return {one["name"]: self.used(one["name"]) for one in providers}

    def _hypervisors(self, host: str) -> list[Any]:
        # Without details: for those Nova asks every host, and one that has died answers late.
        every = self.cloud.compute.hypervisors(details=False)
        return [one for one in every if one.name == host and one.state == "up"]

    def _agent(self, host: str) -> list[Any]:
        return [one for one in self.cloud.network.agents(host=host) if one.is_alive]

    def _placement(self, path: str) -> Any:
        return self.cloud.placement.get(path).json()

    def _status(self, volume: Any) -> str:
        return str(self.cloud.block_storage.get_volume(volume).status)
