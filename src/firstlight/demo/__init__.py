"""``firstlight demo``: every part of the road on loopback, without any cloud."""
