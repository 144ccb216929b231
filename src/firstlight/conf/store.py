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
        ],
    )
]
