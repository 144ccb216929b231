"""Guests that mean harm, and one that is measured beside them: programs for a guest's namespace."""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from support.parts import need
from support.programs import program
from support.relay.namespaces import METADATA

_CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
_AT_ONCE = 20  # connections of one attack
_PATIENCE = 10.0  # seconds of the one who is measured


def _endless(before: bytes, block: bytes, blocks: int = 128) -> list[bytes]:
    return [before, *[block] * blocks]


# What each connection sends, over and over again: up to 8 MiB, as fast as it is taken.
ATTACKS = {
    "repeated trailer": _endless(_CHUNKED + b"0\r\n", b"a:b\r\n" * 13_000),
    "trailers": _endless(_CHUNKED + b"0\r\n", b"".join(b"%x:\r\n" % n for n in range(9_000))),
    "repeated field": _endless(b"GET / HTTP/1.1\r\nHost: a\r\n", b"a:b\r\n" * 13_000),
    "a trailer without end": _endless(_CHUNKED + b"0\r\na:", b"b" * 65_536),
    "a body too large": _endless(_CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
}


def command(what: str, core: int) -> list[str]:
    """Runs an attack, until it is killed, or :func:`measured`'s guest, on this core."""
    return [need("taskset"), "-c", str(core), *program("support.guests.attacker"), what]


async def _attack(blocks: list[bytes]) -> None:
    while True:
        with suppress(OSError):
            _, writing = await asyncio.open_connection(METADATA, 80)
            try:
                for block in blocks:
                    writing.write(block)
                    await writing.drain()
            finally:
                writing.transport.abort()


async def _many(attack: Callable[[], Awaitable[None]]) -> None:
    await asyncio.gather(*(attack() for _ in range(_AT_ONCE)))


def _measure(target: str, times: int) -> list[float]:
    took = []
    for _ in range(times):
        began = time.monotonic()
        with socket.create_connection((METADATA, 80), timeout=_PATIENCE) as guest:
            guest.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while part := guest.recv(65536):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
        took.append(time.monotonic() - began)
        time.sleep(0.01)
    return took


if __name__ == "__main__":
    if sys.argv[1] in ATTACKS:
        asyncio.run(_many(lambda: _attack(ATTACKS[sys.argv[1]])))
    else:
        print(json.dumps(_measure(sys.argv[1], 120)))
