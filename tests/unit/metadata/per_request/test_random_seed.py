"""Seeds are handed out once, and drawn for many requests at a time."""

import base64
import os
from itertools import count

from firstlight.metadata.per_request.random_seed import RandomSeeds


def test_each_is_of_its_own() -> None:
    """512 bytes in base64, as Nova's, none twice."""
    seeds = RandomSeeds(os.urandom)
    handed = [seeds() for _ in range(100)]
    assert len(set(handed)) == 100
    assert {len(base64.b64decode(one)) for one in handed} == {512}


def test_drawn_in_batches() -> None:
    """One call to the kernel for 32 of them; what is drawn is used once."""
    calls, numbers = [], count()

    def random(size: int) -> bytes:
        calls.append(size)
        return b"".join(next(numbers).to_bytes(4, "big") for _ in range(size // 4))

    seeds = RandomSeeds(random)
    handed = b"".join(base64.b64decode(seeds()) for _ in range(64))
    assert calls == [32 * 512] * 2
    assert len({handed[at : at + 4] for at in range(0, len(handed), 4)}) == 64 * 512 // 4
