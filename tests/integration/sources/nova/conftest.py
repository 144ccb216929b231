"""A real PostgreSQL."""

from support.servers.databases import postgresql  # noqa: F401  fixtures
