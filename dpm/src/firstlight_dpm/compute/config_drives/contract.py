"""What the driver asks of whoever writes config drives."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from nova import exception


class DriveFailed(exception.NovaException):
    """A config drive was not written, or not taken away; the message says why, and what to do."""


class DriveRefused(DriveFailed):
    """It will not be otherwise before the operator changes something."""


class Drive(NamedTuple):
    """One config drive."""

    #: By which it is found again; one server has one drive.
    name: str
    server: str
    #: The file system, labelled ``config-2``.
    image: Path
    #: Of the server, see :func:`firstlight_dpm.compute.connector.connector`.
    connector: Mapping[str, Any]


class Writer(Protocol):
    """Each method may be repeated, and raises DriveFailed."""

    def write(self, drive: Drive) -> None:
        """Let the server reach a disk with that image; one of that name is replaced."""

    def remove(self, name: str) -> None:
        """See that no disk of that name is left, whatever there was of it."""

    def names(self) -> list[str]:
        """Of all disks that this has written, and whatever else is where they are."""
