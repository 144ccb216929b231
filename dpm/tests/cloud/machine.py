"""What is on the machine, as its HMC shows it to anybody who asks."""

from collections.abc import Iterator
from contextlib import contextmanager

import zhmcclient

from firstlight_dpm.mock import Served


class Inspector:
    """Looks; changes nothing but what a test says that a person does at the console."""

    def __init__(self, session: zhmcclient.Session, cpc_id: str) -> None:
        client = zhmcclient.Client(session)
        self._cpc = client.cpcs.find(**{"object-id": cpc_id})
        self._console = client.consoles.console

    def partitions(self) -> dict[str, zhmcclient.Partition]:
        """All of them by name, with their properties as they are now."""
        listed = self._cpc.partitions.list(full_properties=True)
        return {partition.name: partition for partition in listed}

    def partition(self, host: str, server: str) -> zhmcclient.Partition | None:
        """The one of a server on a host; None if there is none."""
        return self.partitions().get(f"OpenStack-{host}-{server}")

    def leftovers(self) -> list[str]:
        """Names of everything that a server could leave behind: partitions and storage groups."""
        groups = self._console.storage_groups.list()
        return [*self.partitions(), *(group.name for group in groups)]


@contextmanager
def inspector(console: Served) -> Iterator[Inspector]:
    """Logged on to the HMC until the block ends."""
    session = zhmcclient.Session(
        console.host,
        console.username,
        console.password,
        port=console.port,
        verify_cert=str(console.ca_file),
    )
    try:
        yield Inspector(session, console.machine.cpc)
    finally:
        session.logoff()
