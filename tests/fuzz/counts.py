"""How many inputs are tried: the same few each time, or with FIRSTLIGHT_SOAK=1 many new ones."""

import os

from hypothesis import HealthCheck, settings

SOAK = os.environ.get("FIRSTLIGHT_SOAK") == "1"


def tries(few: int, many: int) -> settings:
    """By count and never by time: a slow machine finds what a fast one finds."""
    return settings(
        max_examples=many if SOAK else few,
        derandomize=not SOAK,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
