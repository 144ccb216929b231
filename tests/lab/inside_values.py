"""Run in the lab's environment: what Nova and its libraries make of values; JSON in, JSON out."""

import json
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")


def main() -> None:
    """Answer ``{"urls": [[url, own]], "servers": [...], "backends": [...]}`` with these keys."""
    asked = json.load(sys.stdin)
    json.dump(
        {
            "urls": [_resolved(url, own) for url, own in asked["urls"]],
            "servers": [_address(name) for name in asked["servers"]],
            "backends": {name: _is_taken(name) for name in asked["backends"]},
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


def _is_taken(backend):
    """Whether the metadata service's handler, which opens the cache, gets past the option."""
    import nova.cache_utils
    import nova.conf
    from oslo_config.cfg import ConfigFileValueError

    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(f"[cache]\nenabled = true\nbackend = {backend}\n")
        file.flush()
        nova.conf.CONF(["--config-file", file.name], project="nova")
        try:
            nova.cache_utils.get_client(expiration_time=1)
        except ConfigFileValueError:
            return False
        except Exception:  # noqa: BLE001  a driver is missing, or wants more options
            return True  # the name is taken; a driver is missing, or wants more options
    return True


main()
