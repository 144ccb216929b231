"""Instances and addresses in memory, and how their changes are noticed."""
