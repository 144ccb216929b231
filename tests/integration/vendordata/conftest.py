"""The fixtures of the vendordata service and of its providers, in tests/support/providers."""

from support.providers.made_providers import cloud, made, servers, vault  # noqa: F401  fixtures
from support.providers.vendordata_service import command, installed, serve  # noqa: F401  fixtures
