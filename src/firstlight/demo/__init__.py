"""``firstlight demo``: every part of the road on loopback, without any cloud."""

FIRST_PORT = 16925  # 169.254 without the dots, nearly; the other parts take the next three
