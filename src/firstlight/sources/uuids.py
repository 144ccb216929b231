"""UUIDs as OpenStack writes them."""

import re

_UUID = re.compile("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def is_uuid(text: str) -> bool:
    """Whether this is a UUID in lower case, with hyphens.

    Asked before a database is: a guest's header may say anything, and PostgreSQL fails on NUL.
    """
    return _UUID.fullmatch(text) is not None
