"""Calls to OpenStack's APIs that another thread can end."""
