"""Real placement under uWSGI."""

from cloud import ini
from cloud.ground import Ground
from lab.uwsgi import Uwsgi, run


def placement(ground: Ground, port: int) -> Uwsgi:
    """Placement with an empty database, not started."""
    room = ground.room("placement")
    connection = {"connection": ground.database.database("placement")}
    conf = ini.write(
        room / "placement.conf",
        {
            "DEFAULT": {"log_file": str(room / "placement.log")},
            "placement_database": connection,
            "keystone_authtoken": ground.tokens(),
        },
    )
    run(ground.environment, room, "placement-manage", "--config-file", str(conf), "db", "sync")
    return ground.api(room, port, "placement.wsgi.api", OS_PLACEMENT_CONFIG_DIR=str(room))
