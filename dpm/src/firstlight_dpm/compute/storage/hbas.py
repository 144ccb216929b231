"""A z13's storage: an HBA on each configured port, which has its WWPN when it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

import zhmcclient

from firstlight_dpm import names
from firstlight_dpm.compute.boot import Path
from firstlight_dpm.compute.storage import wwpns
from firstlight_dpm.compute.storage.ports import uri
from firstlight_dpm.errors import Gone, attempting
from firstlight_dpm.options import StoragePort


@dataclass(frozen=True)
class Hbas:
    """One HBA for each of `ports`, in the order that they are tried for booting.

    `patience`: seconds that the machine has for their WWPNs.
    """

    host: str
    ports: Sequence[StoragePort]
    patience: float = wwpns.PATIENCE

    def prepare(self, partition: zhmcclient.Partition) -> None:
        """Make the HBAs that are missing."""
        known = {hba.name for hba in _hbas(partition)}
        for port in self.ports:
            if names.hba_name(*port) not in known:
                self._make(partition, port)

    def initiators(self, partition: zhmcclient.Partition) -> list[str]:
        """The WWPNs of the HBAs on the ports; others are of ports that are configured no more."""
        attempt = f"reading the WWPNs of partition {partition.name}"

        def read() -> list[str]:
            by_port = {hba.get_property("adapter-port-uri"): hba for hba in _hbas(partition)}
            ours = [by_port[uri(port)] for port in self.ports if uri(port) in by_port]
            if not ours:
                raise Gone(attempt, "its HBAs have gone")
            return [_wwpn(hba) for hba in ours]

        return wwpns.given(attempt, read, self.patience)

    def boot_from(self, partition: zhmcclient.Partition, path: Path) -> None:
        """Tell the partition which HBA, target and LUN."""
        hba = next(
            (one for one in _hbas(partition) if _wwpn(one) == path.initiator),
            None,
        )
        attempt = f"setting the boot volume of partition {partition.name}"
        if hba is None:
            raise Gone(attempt, f"its HBA {path.initiator} has gone")
        with attempting(attempt):
            partition.update_properties(
                {
                    "boot-device": "storage-adapter",
                    "boot-storage-device": hba.uri,
                    "boot-world-wide-port-name": path.target,
                    "boot-logical-unit-number": path.lun,
                }
            )

    def release(self, name: str, partition: zhmcclient.Partition | None) -> None:
        """Nothing: HBAs go with their partition."""

    def _make(self, partition: zhmcclient.Partition, port: StoragePort) -> None:
        with attempting(f"making an HBA on {port} for partition {partition.name}"):
            partition.hbas.create(
                {
                    "name": names.hba_name(*port),
                    "description": names.hba_description(self.host),
                    "adapter-port-uri": uri(port),
                }
            )


def _hbas(partition: zhmcclient.Partition) -> list[zhmcclient.Hba]:
    with attempting(f"listing the HBAs of partition {partition.name}"):
        # The list is a property of the partition, which making an HBA leaves as it was read.
        partition.pull_full_properties()
        return partition.hbas.list(full_properties=True)


def _wwpn(hba: zhmcclient.Hba) -> str:
    return wwpns.known(hba.prop("wwpn"))
