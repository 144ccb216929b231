"""Where instances come from."""

from firstlight.sources.contract import (
    InstanceGone,
    PasswordSet,
    Source,
    SourceUnavailable,
)

__all__ = ["InstanceGone", "PasswordSet", "Source", "SourceUnavailable"]
