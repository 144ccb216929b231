"""What is asked of memcached or redis."""

from collections.abc import Sequence
from typing import Protocol

LIMIT = 1024 * 1024 - 1024  # bytes of a value; memcached's own limit is a MiB with its key


class ServerAway(Exception):
    """The server did not answer, or not in its own words; the message says what it did."""


class NotKept(Exception):
    """The server answered, and would not keep a value: it is too large for it, or it is full."""


class CacheServer(Protocol):
    """One server. Methods take bounded time, on any thread, and raise :class:`ServerAway`.

    Values are bytes and stay bytes: nothing is ever unpickled.
    """

    name: str

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of `keys`, in one exchange; None where there is none."""

    def set(self, key: str, value: bytes, seconds: int) -> None:
        """Keep `value` for so long; may raise :class:`NotKept`."""

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        """The same if there is none yet; whether there was none. May raise :class:`NotKept`."""

    def close(self) -> None:
        """Close the connections."""
