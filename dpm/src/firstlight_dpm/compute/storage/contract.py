"""What the driver asks of storage, whichever machine it is."""

from typing import Protocol

import zhmcclient

from firstlight_dpm.compute.boot import Path


class Storage(Protocol):
    """Each method may be repeated, and raises HmcErrors."""

    def prepare(self, partition: zhmcclient.Partition) -> None:
        """Give the partition its ports; their WWPNs are known from then on."""

    def initiators(self, partition: zhmcclient.Partition) -> list[str]:
        """The ports' WWPNs, 16 lower-case hex digits each, the boot adapter's first; at least one.

        Raises Busy if the machine has not given them.
        """

    def boot_from(self, partition: zhmcclient.Partition, path: Path) -> None:
        """Let the partition boot by this path from now on."""

    def release(self, name: str, partition: zhmcclient.Partition | None) -> None:
        """Take away what outlives the partition of that name, which is stopped, or gone already.

        What somebody else deletes meanwhile is no error.
        """
