"""What a relay occupies, by how many networks it serves."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from bench import storm
from bench.process import memory
from bench.relay_chains import Relay, our_relay, their_relay
from bench.relay_cloud import Cloud, Guest
from bench.relay_networks import NOBODYS, Town
from support.relay.namespaces import METADATA
from support.servers.databases import free_port

# What a guest asks whom Neutron does not know: that has the whole relay at work.
_QUESTION = (f"GET / HTTP/1.1\r\nHost: {METADATA}\r\nConnection: close\r\n\r\n".encode(), 404)
_AT_ONCE = 4
_TITLE = "memory of the relay (PSS): haproxies and neutron-metadata-agent; broker and proxy"

Start = Callable[[Cloud, Path, Town, int], AbstractContextManager[Relay]]


def tell_memory(
    console: Console, cloud: Cloud, directory: Path, counts: Sequence[int]
) -> Mapping[int, float]:
    """Print it for each of `counts`, after a guest of each network has asked; theirs over ours."""
    with Town(directory / "memory") as town:
        # Ours first: it serves what is there, and theirs what it is told to.
        ours = _occupied(our_relay, cloud, directory / "our-memory", town, counts)
        theirs = _occupied(their_relay, cloud, directory / "their-memory", town, counts)
    table = Table("networks", "theirs MB", "ours MB", "theirs x ours", title=_TITLE, min_width=90)
    found = list(zip(counts, theirs, ours, strict=True))
    for count, their, our in found:
        table.add_row(str(count), f"{their / 1e6:.1f}", f"{our / 1e6:.1f}", f"{their / our:.1f}")
    console.print(table)
    return {count: their / our for count, their, our in found}


def _occupied(
    start: Start, cloud: Cloud, directory: Path, town: Town, counts: Sequence[int]
) -> Sequence[int]:
    found = []
    with start(cloud, directory, town, free_port()) as relay:
        for count in counts:
            while len(town.networks) < count:
                town.network(str(uuid4()))
            networks = town.networks[:count]
            relay.serve(networks)
            _ask_all(relay, town, networks)
            found.append(memory(relay.processes))
    return found


def _ask_all(relay: Relay, town: Town, networks: Sequence[str]) -> None:
    guests = [
        storm.Guest(town.connect(Guest(network, NOBODYS, "")), [_QUESTION]) for network in networks
    ]
    storm.run(guests, at_once=_AT_ONCE)
    errors = sum(guest.errors for guest in guests)
    if errors:
        raise SystemExit(f"{relay.name}: {errors} of {len(networks)} networks did not answer")
