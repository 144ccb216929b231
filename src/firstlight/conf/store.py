"""``[store]``: the embedded store of instances."""

from oslo_config import cfg

OPTIONS = [
    (
        "store",
        [
            cfg.StrOpt(
                "connection",
                default="sqlite:///$state_path/firstlight.sqlite",
                secret=True,
                help="""
SQLAlchemy URL of the embedded store. SQLite, PostgreSQL (postgresql+psycopg://) and MariaDB or
MySQL (mysql+pymysql://) are tested. The tables are made and migrated on first use.
""",
            ),
            cfg.IntOpt(
                "pool_size",
                min=1,
                help="""
Connections of each process, that is look-ups at the same time; others wait. Unset: as many as
[firstlight] cold_threads.
""",
            ),
            cfg.FloatOpt(
                "timeout",
                default=5.0,
                min=1,
                help="""
Seconds after which connecting, a statement, or waiting for a connection or a lock has failed. Keep
it below [firstlight] deadline, or guests are told that time is up instead of what is wrong.
""",
            ),
        ],
    )
]
