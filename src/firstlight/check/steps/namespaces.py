"""The namespaces of this host: is the address there, and does somebody listen on it?"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.step import Finding, Step, broken, ok, warning
from firstlight.relay.broker import netns
from firstlight.relay.contract import Via
from firstlight.relay.namespaces import METADATA_IPV4, METADATA_PORT, place_of

_DEADLINE = 60.0
# Of this thread, which is the one that enters. No connection is made: an agent would log it.
_TCP = (Path("/proc/thread-self/net/tcp"), Path("/proc/thread-self/net/tcp6"))
_LISTEN = "0A"  # TCP_LISTEN


def steps(conf: cfg.ConfigOpts) -> list[Step]:
    """One for the directory, and from it one for each namespace in which something is wrong."""
    return [Step("namespaces", lambda: _look(conf), seconds=_DEADLINE)]


def _look(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    directory = Path(conf.relay.netns_directory)
    names = sorted(os.listdir(directory)) if directory.is_dir() else []  # noqa: PTH208  the names alone are wanted
    ours = [name for name in names if place_of(name, conf.relay.namespaces)]
    if not ours:
        yield warning(
            f"none of {', '.join(conf.relay.namespaces)} in {directory}",
            place(conf, "relay", "netns_directory"),
            remedy="right if no network has a port here yet; else: do Neutron's agents run?",
        )
        return
    good = 0
    for name in ours:
        finding = _inside(conf, directory / name)
        if finding is None:
            good += 1
        else:
            yield finding
            if finding.said == _MAY_NOT:
                return
    if good:
        yield ok(f"in {good} of {len(ours)} somebody listens where guests ask")


_MAY_NOT = "namespaces cannot be entered"


def _inside(conf: cfg.ConfigOpts, namespace: Path) -> Finding | None:
    """What is wrong there."""
    found = place_of(namespace.name)
    router = found is not None and found.via is Via.ROUTER
    try:
        with netns.inside(namespace):
            if not router and not netns.has_metadata_ipv4():
                return warning(
                    f"{namespace.name}: no interface has {METADATA_IPV4}",
                    remedy="right for a network behind a router; else enable_isolated_metadata or"
                    " force_metadata in dhcp_agent.ini, or see the agent's log",
                )
            return _listened(namespace.name, conf.metadata_port if router else METADATA_PORT)
    except OSError as error:
        if error.errno == errno.EPERM:
            return warning(_MAY_NOT, remedy="run this as root")
        return broken(
            f"{namespace} is no namespace: {error.strerror}",
            remedy="Neutron's agent failed to make or to remove it; delete the file if nothing"
            " uses it, and restart the agent",
        )


def _listened(name: str, port: int) -> Finding | None:
    tables = [table.read_text().splitlines()[1:] for table in _TCP if table.exists()]
    # proc(5): sl local_address:port rem_address:port state ..., in hexadecimal
    listening = [
        line.split()[1] for lines in tables for line in lines if _LISTEN in line.split()[3]
    ]
    if any(int(address.rpartition(":")[2], 16) == port for address in listening):
        return None
    return broken(
        f"{name}: nobody listens on port {port}",
        remedy="do firstlight-broker and firstlight-proxy run? see the step before",
    )
