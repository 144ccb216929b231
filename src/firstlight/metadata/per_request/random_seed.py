"""Fresh ``random_seed`` values, made in batches."""

from collections.abc import Callable
from io import BytesIO

from firstlight.documents import SEED_BYTES, seed

_BATCH = 32


class RandomSeeds:
    """Each call hands out a seed that nobody else gets. Any thread may call.

    Made one by one between requests, a seed costs three times what it costs in a row, because the
    work in between drives its code out of the processor's cache. Make this after a fork: the seeds
    that wait must not be another process's too.

    Args:
        random: n random bytes, as `os.urandom`.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._waiting: list[bytes] = []

    def __call__(self) -> bytes:
        """684 characters of base64."""
        try:
            return self._waiting.pop()
        except IndexError:
            drawn = BytesIO(self._random(_BATCH * SEED_BYTES))  # one system call for all of them
            fresh = [seed(drawn.read) for _ in range(_BATCH)]
            mine = fresh.pop()
            self._waiting = fresh
            return mine
