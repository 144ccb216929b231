"""Whoever has servers: through OpenStack's SDK, which asks faster than a new command each time."""

from typing import Any

import openstack

from cloud.ground import Ground
from cloud.walk import PATIENCE
from lab.keystone import REGION
from servers import eventually


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
        return self.cloud.block_storage.wait_for_status(made, "available", wait=PATIENCE)

    def server(self, name: str, host: str | None = None) -> Any:
        """A server that runs, on this host if one is named, with its volume `name`.

        Raises:
            openstack.exceptions.ResourceFailure: it came to the status ERROR.
        """
        return self.runs(self.asked_for(name, host), "ACTIVE")

    def asked_for(self, name: str, host: str | None = None) -> Any:
        """A server that is being made."""
        boot = {
            "uuid": self.volume(name).id,
            "source_type": "volume",
            "destination_type": "volume",
            "boot_index": 0,
        }
        network = self.cloud.network.find_network(self._network).id
        return self.cloud.compute.create_server(
            name=name,
            flavor_id="1",
            networks=[{"uuid": network}],
            block_device_mapping_v2=[boot],
            **({"host": host} if host else {}),
        )

    def runs(self, server: Any, status: str) -> Any:
        """The server once it has that status."""
        return self.cloud.compute.wait_for_server(server, status, wait=PATIENCE)

    def remove(self, server: Any) -> None:
        """Delete the server and the volume of its name; returns when both are gone."""
        self.cloud.compute.delete_server(server)
        self.cloud.compute.wait_for_delete(server, wait=PATIENCE)
        volume = self.cloud.block_storage.find_volume(server.name)
        assert eventually(lambda: self._status(volume) == "available", PATIENCE)
        self.cloud.block_storage.delete_volume(volume)
        self.cloud.block_storage.wait_for_delete(volume, wait=PATIENCE)

    def ports(self, server: Any) -> dict[str, str]:
        """The status of each of its ports, by id."""
        return {port.id: port.status for port in self.cloud.network.ports(device_id=server.id)}

    def _status(self, volume: Any) -> str:
        return str(self.cloud.block_storage.get_volume(volume).status)
