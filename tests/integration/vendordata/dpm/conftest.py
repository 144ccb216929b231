"""The fixtures of tests/partitions_told.py."""

from partitions_told import on, site  # noqa: F401
