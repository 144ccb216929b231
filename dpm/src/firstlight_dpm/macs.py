"""MAC addresses that IBM Z's network adapters take."""

import re

_LOCAL_UNICAST = re.compile(r"[0-9a-f][26ae](:[0-9a-f]{2}){5}", re.IGNORECASE)


def is_local_unicast(mac: object) -> bool:
    """Whether it is locally administered and unicast, written with colons."""
    return isinstance(mac, str) and _LOCAL_UNICAST.fullmatch(mac) is not None
