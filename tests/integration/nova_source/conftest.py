"""A real PostgreSQL."""

from servers import postgresql  # noqa: F401
