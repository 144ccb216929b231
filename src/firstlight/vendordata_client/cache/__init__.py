"""Responses of targets that are kept: how long (RFC 9111), and what happens when they expire."""
