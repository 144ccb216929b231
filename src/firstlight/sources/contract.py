"""What the metadata service asks of a source. Methods may block: they are called on cold threads.

*Nothing* (None, an empty sequence) means that the source was asked and knows no such instance;
*failed* is :class:`SourceUnavailable`.
"""

from collections.abc import Callable
from typing import Protocol

from firstlight.instance import Instance


class SourceUnavailable(Exception):
    """The source could not be asked; the message names the dependency and what was attempted."""


class PasswordSet(Exception):
    """The instance has a password already; it is set once."""


class InstanceGone(Exception):
    """The instance was deleted in the meantime."""


class Source(Protocol):
    """A place where instances are kept."""

    def instance(self, uuid: str) -> Instance | None:
        """The instance, EC2 ids allotted and password read; None if nobody has that id."""

    def set_password(self, uuid: str, password: str) -> None:
        """Store what the guest posted.

        Raises:
            PasswordSet: one is stored already; it is left as it is.
            InstanceGone: there is no such instance any more.
            SourceUnavailable: nothing was stored.
        """

    def watch(self, changed: Callable[[str | None], None]) -> Callable[[], None]:
        """Call `changed(uuid)` within 100 ms of a change by anyone; returns what stops it.

        ``changed(None)`` means that anything may have changed.
        """
