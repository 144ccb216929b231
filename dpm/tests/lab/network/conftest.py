"""Fixtures of the tests beside."""

from network_site import keystone, mariadb, rabbitmq, site  # noqa: F401  (fixtures)
