"""oslo.messaging, on threads."""

from contextlib import suppress
from typing import Any


def load() -> Any:
    """The package ``oslo_messaging``.

    It needs oslo.service, which takes eventlet unless somebody has said otherwise before it is
    imported. Older releases (before 4.2) have no choice; there eventlet is imported and not used.

    Raises:
        ImportError: it is not installed, or not all of it.
    """
    with suppress(ImportError):
        from oslo_service import backend

        backend.register_backend_default_hook(lambda: backend.BackendType.THREADING)
    try:
        import oslo_messaging
    except ValueError as error:  # oslo.service's word for a backend that lacks a package
        raise ImportError(f"oslo.service on threads needs cotyledon: {error}") from error
    return oslo_messaging
