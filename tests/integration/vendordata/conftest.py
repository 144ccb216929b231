"""The fixtures of tests/vendordata_service.py."""

from vendordata_service import command, installed, serve  # noqa: F401
