"""The fixtures of tests/vendordata_service.py and tests/made_providers.py."""

from made_providers import cloud, made, servers, vault  # noqa: F401
from vendordata_service import command, installed, serve  # noqa: F401
