"""Firstlight: everything that answers when a new server asks who it is."""
