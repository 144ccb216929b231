"""Fixtures of the tests beside."""

from network_site import mariadb, rabbitmq, site  # noqa: F401
