"""What guests' programs are known to do, by the name they give themselves.

The name decides nothing but how long its bearer waits: a guest that takes another's fools itself.
"""

import re

# cloud-init names itself so since 0.7.5; Neutron's own agent does not pass it on.
_CLOUD_INIT = re.compile(r"Cloud-Init/(\d{1,4})\.(\d{1,4})(?:\D|$)")
# From this release on a 503 for the first question is waited out, for as long as Retry-After says
# and again and again. 22.4 rejects the datasource at a single one (metadata-api §6.1).
_WAITS_SINCE = (25, 1)


def waits_out_503(user_agent: str | None) -> bool:
    """Whether this client is known to come back after a 503 for ``GET /openstack``."""
    match = _CLOUD_INIT.match(user_agent or "")
    return match is not None and (int(match[1]), int(match[2])) >= _WAITS_SINCE
