"""Real Cinder: API under uWSGI, scheduler and volume service, with a disk array made of files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloud import ini
from cloud.ground import Ground
from cloud.program import Program
from cloud.service import Service
from lab.uwsgi import run

_DRIVER = Path(__file__).parent / "cinder_driver"


class Volumes(Service):
    """All of Cinder's services.

    Attributes:
        array: the directory that the disk array keeps its volumes in.
    """

    def __init__(self, ground: Ground, port: int) -> None:
        self._ground = ground
        self._room = ground.room("cinder")
        self.array = self._room / "array"
        self._conf = ini.write(self._room / "cinder.conf", self._sections())
        where = f"--pyargv=--config-file {self._conf}"
        super().__init__(
            ground.api(self._room, port, "cinder.wsgi.api", where),
            [self._program("cinder-scheduler"), self._program("cinder-volume")],
        )

    def make_database(self) -> None:
        """Its tables."""
        at = (self._ground.environment, self._room)
        run(*at, "cinder-manage", "--config-file", str(self._conf), "db", "sync")

    def zoned(self) -> dict[str, Any]:
        """The volumes that a host can reach, by id, with the host's connector."""
        return {file.stem: json.loads(file.read_text()) for file in self.array.glob("*.zoned")}

    @contextmanager
    def out_of_order(self, work: str) -> Iterator[None]:
        """The array does none of this for config drives until the block ends: ``making`` a volume
        of an image, or ``zoning`` one."""
        sign = self.array / f"no-{work}"
        sign.touch()
        try:
            yield
        finally:
            sign.unlink()

    def _program(self, name: str) -> Program:
        variables = {"PYTHONPATH": str(_DRIVER)}
        return self._ground.program(self._room, name, "--config-file", self._conf, **variables)

    def _sections(self) -> ini.Sections:
        room, ground = self._room, self._ground
        etc = ground.environment / "etc" / "cinder"
        return {
            "DEFAULT": {
                "state_path": str(room),
                "transport_url": ground.bus,
                "api_paste_config": str(etc / "api-paste.ini"),
                "resource_query_filters_file": str(etc / "resource_filters.json"),
                "auth_strategy": "keystone",
                "glance_catalog_info": "image::publicURL",
                "enabled_backends": "array",
                "osapi_volume_workers": "1",
            },
            "array": {
                "volume_driver": "array_of_files.ArrayOfFiles",
                "volume_backend_name": "array",
                "array_directory": str(self.array),
            },
            "database": {"connection": ground.database.database("cinder")},
            "coordination": {"backend_url": f"file://{room}/locks"},
            "oslo_concurrency": {"lock_path": str(room)},
            "keystone_authtoken": ground.tokens(),
        }
