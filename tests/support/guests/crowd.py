"""Many guests of one network, asking: a program that runs in their namespace, and its handle.

Each request is a connection of its own, as a boot makes them, from the guest's own address.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

from support.programs import program
from support.relay.namespaces import METADATA, Namespace

PATIENCE = 60.0  # seconds for one request; more than any limit of ours


# By address, how often what was said: ``STATUS BODY``, or what went wrong with the connection.
Told = dict[str, Counter[str]]


class Crowd:
    """Guests that have begun to ask."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.communicate()

    def answers(self) -> Told:
        """What they were told, once all is said."""
        said, _ = self._process.communicate(timeout=600)
        assert self._process.returncode == 0
        return {address: Counter(answers) for address, answers in json.loads(said).items()}


def crowd(
    namespace: Namespace,
    addresses: Sequence[str],
    target: str,
    *,
    times: int | None = None,
    at_once: bool = False,
) -> Crowd:
    """Have these guests ask for `target`, each `times`; None: until :meth:`Crowd.answers`.

    Each guest asks one thing after another, or all of them `at_once`.
    """
    plan = {"addresses": addresses, "target": target, "times": times, "at_once": at_once}
    command = [*program("support.guests.crowd"), json.dumps(plan)]
    return Crowd(
        namespace.popen(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )


async def _ask(address: str, target: str) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            reading, writing = await asyncio.open_connection(METADATA, 80, local_addr=(address, 0))
            writing.write(
                f"GET {target} HTTP/1.1\r\nHost: {METADATA}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = (await reading.read()).decode("latin-1")
            writing.close()
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    head, _, body = answer.partition("\r\n\r\n")
    return f"{head[9:12]} {body}" if head.startswith("HTTP/1.1 ") else "cut off"


async def _boot(address: str, target: str, times: int, at_once: bool) -> list[str]:
    if at_once:
        return list(await asyncio.gather(*(_ask(address, target) for _ in range(times))))
    return [await _ask(address, target) for _ in range(times)]


async def _go_on(address: str, target: str, enough: asyncio.Event) -> list[str]:
    said = []
    while not enough.is_set():
        said.append(await _ask(address, target))
    return said


async def _main(
    addresses: list[str], target: str, times: int | None, at_once: bool
) -> dict[str, list[str]]:
    if times is not None:
        asking = [_boot(address, target, times, at_once) for address in addresses]
    else:
        enough = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, enough.set)  # its end is the end
        asking = [_go_on(address, target, enough) for address in addresses]
    return dict(zip(addresses, await asyncio.gather(*asking), strict=True))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(**json.loads(sys.argv[1])))))
