"""Request ids: ``req-`` and what looks like a UUID, as OpenStack's logs and headers carry them."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from itertools import count

_WELL_FORMED = re.compile(rb"req-[0-9a-f-]{36}")
_HEADER = b"x-openstack-request-id"

MakeId = Callable[[Mapping[bytes, bytes]], str]


def fresh() -> MakeId:
    """Ids of this process: random in front, counted behind; drawing each at random costs 2 µs."""
    words = (secrets.token_hex(size) for size in (4, 2, 2, 2))
    prefix = f"req-{'-'.join(words)}-"
    take = _counted(prefix).__next__
    return lambda _headers: take()


def _counted(prefix: str) -> Iterator[str]:
    """The prefix and twelve digits; the last three come from a table, formatting costs more."""
    ends = [f"{number:03x}" for number in range(0x1000)]
    for high in count(secrets.randbits(28)):
        most = f"{prefix}{high:09x}"
        for end in ends:
            yield most + end


def trusting(make: MakeId) -> MakeId:
    """The id a request brings with it, if it is well-formed; else one of `make`'s."""

    def choose(headers: Mapping[bytes, bytes]) -> str:
        brought = headers.get(_HEADER)
        if brought is not None and _WELL_FORMED.fullmatch(brought):
            return brought.decode()
        return make(headers)

    return choose
