"""Real placement under uWSGI."""

from cloud import ini
from cloud.ground import Ground
from lab.uwsgi import run


class Placement:
    """Whoever made it ends it with :meth:`stop`."""

    def __init__(self, ground: Ground, port: int) -> None:
        self._ground = ground
        self._room = ground.room("placement")
        connection = {"connection": ground.database.database("placement")}
        log = {"log_file": str(self._room / "placement.log")}
        self._conf = ini.write(
            self._room / "placement.conf",
            {
                "DEFAULT": log,
                "placement_database": connection,
                "keystone_authtoken": ground.tokens(),
            },
        )
        directory = {"OS_PLACEMENT_CONFIG_DIR": str(self._room)}
        self.api = ground.api(self._room, port, "placement.wsgi.api", **directory)

    def start(self) -> None:
        """Make the database and serve; returns when the API answers."""
        at = (self._ground.environment, self._room)
        run(*at, "placement-manage", "--config-file", str(self._conf), "db", "sync")
        self.api.start()

    def stop(self) -> None:
        """Serve no more."""
        self.api.stop()
