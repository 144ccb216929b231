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

    def partitions(self) -> dict[str, zhmcclient.Partition]:
        """All of them by name, with their properties as they are now."""
        listed = self._cpc.partitions.list(full_properties=True)
        return {partition.name: partition for partition in listed}

    def partition(self, host: str, server: str) -> zhmcclient.Partition | None:
        """The one of a server on a host; None if there is none."""
        return self.partitions().get(f"OpenStack-{host}-{server}")

    def by_hand(self, name: str) -> zhmcclient.Partition:
        """A partition that somebody makes at the console, and not OpenStack."""
        return self._cpc.partitions.create(
            {"name": name, "ifl-processors": 2, "initial-memory": 4096, "maximum-memory": 4096}
        )


def resources(console: Served) -> set[str]:
    """Everything there is on the HMC, by URI: partitions, NICs, ports, storage groups, adapters."""
    with console.console.lock:
        return set(console.console.mock.hmc.all_resources)


def asked(console: Served, partition: zhmcclient.Partition) -> list[str]:
    """Which operations the HMC was asked for on a partition, such as ``start``, in order."""
    with console.console.lock:
        wanted = [uri for method, uri in console.console.requests if method == "POST"]
    prefix = f"{partition.uri}/operations/"
    return [uri.removeprefix(prefix) for uri in wanted if uri.startswith(prefix)]


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
