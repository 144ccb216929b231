"""Rows of Nova's databases, decoded."""
