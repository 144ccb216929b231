"""What only the builder of a config drive knows: no source keeps it, and HTTP never shows it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from firstlight.documents.bare_metal import BareMetal

# What meta_data.json says of its own accord. Nova lets an added key of such a name win or lose,
# depending on where in the document it stands; here it is refused.
_OWN = frozenset(
    (
        *("uuid", "meta", "files", "network_config", "public_keys", "keys", "hostname", "name"),
        *("launch_index", "availability_zone", "random_seed", "project_id", "devices"),
        "dedicated_cpus",
    )
)
FILES_LIMIT = 9999  # content numbers have four digits, and 0000 may be the network config's
PATH_LIMIT = 255  # characters; Nova's default quota


class InjectedFile(Struct, frozen=True):
    """A file that the guest is to write.

    Attributes:
        path: where, in the guest.
    """

    path: str
    content: bytes

    def __repr__(self) -> str:
        """Without the content, which may be a secret."""
        return f"InjectedFile({self.path!r}, {len(self.content)} bytes)"


class Additions(Struct, frozen=True):
    """Everything handed in for one drive.

    Attributes:
        files: injected files (Nova's personality, API below 2.57), in order.
        metadata: more keys of ``meta_data.json``, JSON values: ``admin_pass`` above all.
        bare_metal: the node's ports and port groups in Ironic; None: not a bare-metal server.

    Raises:
        ValueError: too many files, a path no guest can use, or a key that ``meta_data.json`` has.
    """

    files: tuple[InjectedFile, ...] = ()
    metadata: Mapping[str, Any] = {}
    bare_metal: BareMetal | None = None

    def __post_init__(self) -> None:
        if len(self.files) > FILES_LIMIT:
            raise ValueError(f"{len(self.files)} injected files; {FILES_LIMIT} is the most")
        for file in self.files:
            if not 0 < len(file.path) <= PATH_LIMIT or "\0" in file.path:
                raise ValueError(
                    f"an injected file's path has 1 to {PATH_LIMIT} characters and no NUL, unlike "
                    f"{file.path[:40]!r}"
                )
        taken = sorted(_OWN & self.metadata.keys())
        if taken:
            raise ValueError(f"meta_data.json says {', '.join(taken)} itself; it cannot be added")

    def __repr__(self) -> str:
        """Without values: they are passwords, as a rule."""
        return f"Additions({self.files!r}, metadata={[*self.metadata]!r}, {self.bare_metal!r})"


NOTHING_ADDED = Additions()
