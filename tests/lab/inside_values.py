"""Run in the lab's environment: what Nova and its libraries make of values; JSON in, JSON out."""

import json
import sys
import warnings

warnings.simplefilter("ignore")


def main() -> None:
    """Answer ``{"urls": [[url, own]], "servers": [...]}`` with the same keys."""
    asked = json.load(sys.stdin)
    json.dump(
        {
            "urls": [_resolved(url, own) for url, own in asked["urls"]],
            "servers": [_address(name) for name in asked["servers"]],
        },
        sys.stdout,
    )


def _resolved(url, own):
    import nova.conf
    from nova.objects.cell_mapping import CellMapping

    nova.conf.CONF.set_override("connection", own, "database")
    return CellMapping.format_db_url(url)


def _address(name):
    """Where python-memcached would connect to; None: it refuses the name."""
    import memcache

    try:
        host = memcache._Host(name)
    except ValueError:
        return None
    return host.address if isinstance(host.address, str) else list(host.address)


main()
