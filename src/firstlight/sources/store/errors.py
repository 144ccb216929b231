"""What the store says no to. All of it is the caller's to mend; nothing was stored."""

from collections.abc import Sequence

from msgspec import Struct

Path = tuple[str | int, ...]


class Refused(Exception):
    """The store will not do this; the message says why and what to do instead."""


class InstanceExists(Refused):
    """Instances with these UUIDs are stored already, or came twice."""

    def __init__(self, message: str, uuids: Sequence[str]) -> None:
        super().__init__(message)
        self.uuids = tuple(uuids)


class Ec2IdTaken(Refused):
    """A given EC2 id belongs to something else, or this thing has another one."""


class Taken(Refused):
    """Another server has the port, or the address on the network; the message names both."""


class RevisionConflict(Refused):
    """Somebody changed the instance since it was read."""


class BadConnection(Refused):
    """The store's URL cannot be used; no database was asked."""


class Unreadable(Exception):
    """What the database holds is not what this version reads; says whose it may be."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a document. `path` leads to it from the instance."""

    path: Path
    reason: str
    place: str = ""  # file:line, where the document came from a file

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, shown(self.path), self.reason) if part)


class BadDocument(Refused):
    """An instance that cannot be one; `problems` has every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def shown(path: Path) -> str:
    """A path as people write it: ``interfaces[0].network.id``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
