"""The fixtures of tests/support/cloud/dpm_partitions.py."""

from support.cloud.dpm_partitions import on, site  # noqa: F401  fixtures
