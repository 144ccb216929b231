"""Which extra a command needs, and how that is said where it is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

# Those that need none, or say themselves what is missing, are not here.
_EXTRAS = {
    "demo": "metadata,vendordata",
    "metadata": "metadata",
    "vendordata": "vendordata",
    "agent": "relay",
    "proxy": "relay",
    "provider": "vendordata",
    "show": "metadata",
    "config-drive": "metadata",
}


class Missing(Exception):
    """An extra is not in this environment; the message says how to get it."""


@contextmanager
def extra_of(command: str, prog: str | None = None) -> Iterator[None]:
    """The block runs what needs the extra of `command`; `prog` is what was typed to get there.

    Raises:
        Missing: a module of somebody else's was not found.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if command not in _EXTRAS or module in ("", "firstlight"):
            raise
        raise Missing(
            f"{prog or f'firstlight {command}'} needs more than firstlight alone, and {module} is "
            f"not in this environment: pip install 'firstlight[{_EXTRAS[command]}]'"
        ) from error
