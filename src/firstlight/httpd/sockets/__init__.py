"""Listening sockets, who else holds an address, and TLS."""
