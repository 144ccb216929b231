"""Real Nova and ours, asked the same, from the same nova.conf and databases; where they differ."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from conformance.processes import running
from lab import golden
from lab.asking import Reply
from lab.kinds.kind import Kind
from lab.paths import paths
from lab.recording import Lab, ask_all
from lab.settings import DEFAULT

# Where the two may differ, and the row of metadata-api §8 that says so.
ALLOWED = {
    r"/latest/(user-data|meta-data/.+)/[^/]+": "404 instead of bare 500 for too-deep paths",
    r"/openstack/[^/]+/content": "404 instead of bare 500 for <ver>/content",
}

Replies = Mapping[str, Reply]


class Ports(NamedTuple):
    """Where the two answer."""

    novas: int
    ours: int


@contextmanager
def both(real: Lab, home: Path) -> Iterator[Ports]:
    """Nova and ours under default settings."""
    with real.serving(DEFAULT) as novas, ours_beside(real, home) as ours:
        yield Ports(novas, ours)


@contextmanager
def ours_beside(real: Lab, home: Path) -> Iterator[int]:
    """`firstlight metadata` from the nova.conf that Nova runs from at this moment; its port."""
    with running("firstlight", home, home / "unused.sqlite", [real.nova_conf]) as service:
        yield service.port


def differences(
    ports: Ports, kind: Kind, **versions: Sequence[str]
) -> dict[str, tuple[Reply, ...]]:
    """Nova's reply and ours of each path for which there is no row that allows it.

    `versions` as :func:`lab.paths.paths` has them; all, if they are not given.
    """
    asked = list(paths(kind, **versions))
    theirs, mine = (ask_all(port, kind, asked, slash=False) for port in ports)
    return {path: (theirs[path], mine[path]) for path in asked if differs(path, theirs, mine)}


def differs(path: str, theirs: Replies, mine: Replies) -> bool:
    """Whether a guest could tell, and no row allows it."""
    if theirs[path].status is None and any(re.fullmatch(row, path) for row in ALLOWED):
        return mine[path] != golden.NOT_FOUND
    return theirs[path] != mine[path]
