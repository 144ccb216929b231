"""What is on a config drive: Nova's own documents, and ``dpm_nics`` in ``meta_data.json``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nova.api.metadata.base import InstanceMetadata
from nova.conf import CONF
from nova.virt.configdrive import ConfigDriveBuilder
from oslo_concurrency.processutils import ProcessExecutionError

from firstlight_dpm.cards import KEY, Card
from firstlight_dpm.compute.config_drives.contract import DriveFailed


@contextmanager
def image(
    instance: Any,
    cards: Sequence[Card],
    *,
    network_info: Any = None,
    files: Sequence[Any] | None = None,
    password: str | None = None,
) -> Iterator[Path]:
    """An ISO 9660 image, there as long as the block; it may hold the administrator's password.

    Raises:
        DriveFailed: the program that makes the image failed.
        Exception: whatever Nova raises of an instance that cannot be described, such as one whose
            vendor data is needed and cannot be had.
    """
    extra: dict[str, Any] = {KEY: list(cards)}
    if password:
        extra["admin_pass"] = password
    told = InstanceMetadata(instance, content=files, extra_md=extra, network_info=network_info)
    with TemporaryDirectory(dir=CONF.tempdir) as directory:
        path = Path(directory) / "config-2.iso"
        try:
            ConfigDriveBuilder(told).make_drive(str(path))
        except (OSError, ProcessExecutionError) as error:
            raise DriveFailed(f"making the config drive's image: {error}") from error
        yield path
