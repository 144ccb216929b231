"""Before a start: does another process have what the service is to listen on?"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.step import Finding, Step, ok, warning
from firstlight.httpd.sockets.holder import holder_of_port, holder_of_socket


class Wanted(NamedTuple):
    """A port or a UNIX socket, and the option that names it; `spare`: it can be done without."""

    at: int | str
    group: str
    option: str
    spare: bool = True


def step(conf: cfg.ConfigOpts, wanted: Sequence[Wanted]) -> Step:
    """Nothing is listened on."""
    return Step("addresses", lambda: _look(conf, wanted), seconds=14.0)


def _look(conf: cfg.ConfigOpts, wanted: Sequence[Wanted]) -> Iterator[Finding]:
    for one in wanted:
        holder = _holder(one.at)
        shown = f"port {one.at}" if isinstance(one.at, int) else one.at
        if holder is None:
            yield ok(f"{shown} is free")
        elif one.spare:
            yield warning(
                f"{holder} listens on {shown}: the service starts without it",
                place(conf, one.group, one.option),
                remedy="set it to another one, if both are to run",
            )
        else:
            yield warning(
                f"{holder} listens on {shown}: the service does not start as long as it does",
                place(conf, one.group, one.option),
                remedy="stop it before the start, or set another address",
            )


def _holder(at: int | str) -> str | None:
    if isinstance(at, int):
        return holder_of_port(at)
    try:
        return holder_of_socket(at)
    except OSError:
        return None
