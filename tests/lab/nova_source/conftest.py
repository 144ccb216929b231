"""Databases of real Nova, for every test here."""

from lab.nova_databases import (  # noqa: F401  fixtures
    lab_environment,
    nova_databases,
    opened,
    own_databases,
)
from support.servers.databases import mariadb  # noqa: F401  fixtures
