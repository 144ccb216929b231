"""The road of the relay: from the namespaces of this host to the metadata service."""

import json
from collections.abc import Iterator, Sequence

from oslo_config import cfg

from firstlight.check.asking import Unanswered, ask_at
from firstlight.check.option_location import place
from firstlight.check.step import Asked, Finding, Step, broken, ok, warning
from firstlight.check.steps import addresses, configuration, log, neutrons_files, upstreams
from firstlight.check.steps.addresses import Wanted
from firstlight.check.steps.namespaces import steps as namespaces

_PROXY, _AGENT = "proxy", "agent socket"
_SECONDS = 14.0
# By what the proxy's /readyz names, where to mend it; for a namespace it has said so itself.
_REMEDIES = {
    "broker": "systemctl status firstlight-broker",
    "agent": "is Neutron's metadata agent running, and may the proxy's user connect?",
    "metadata service": "see the step of that name",
    "neutron-rpc": "do the message bus and neutron-rpc-server run? transport_url names the bus",
    "neutron-rest": "does Neutron's API answer the user of [neutron]?",
    "ovn": "does the southbound database answer at [ovn] ovn_sb_connection?",
    "store": "does the database of [store] connection answer?",
}
_LOG = "see the log: journalctl -u firstlight-"


def road(conf: cfg.ConfigOpts, asked: Asked) -> Sequence[Step]:
    """Every step, in the order of the road."""
    serving = [ready(conf, _PROXY), *namespaces(conf)]
    wanted = [Wanted(conf.relay.status_socket, "relay", "status_socket")]
    if conf.metadata_proxy_socket and not conf.relay.agent_socket:
        wanted.append(Wanted(conf.metadata_proxy_socket, "DEFAULT", "metadata_proxy_socket"))
    return [
        configuration.readable(conf),
        *neutrons_files.steps(conf),
        log.step(conf, "proxy"),
        *(serving if asked.serving else [addresses.step(conf, wanted)]),
        *(_behind(conf) if conf.relay.agent_socket else upstreams.steps(conf)),
    ]


def ready(conf: cfg.ConfigOpts, service: str) -> Step:
    """What the running service, proxy or agent, says of itself."""
    return Step(service, lambda: _ready(conf, service), seconds=_SECONDS)


def _ready(conf: cfg.ConfigOpts, service: str) -> Iterator[Finding]:
    path = conf.relay.status_socket
    where = place(conf, "relay", "status_socket")
    try:
        said = json.loads(ask_at(path, "/readyz").body)
        checks, degraded = said["checks"], said["degraded"]
    except Unanswered as error:
        units = {"proxy": "firstlight-proxy firstlight-broker"}.get(service, "firstlight-agent")
        remedy = f"systemctl status {units}; run this as root"
        yield broken(f"nobody answers at {path}: {error}", where, remedy=remedy)
        return
    except (ValueError, LookupError, TypeError):
        yield broken(
            f"{path} answers what is no /readyz", where, remedy="another program has the socket"
        )
        return
    wrong = {name: why for name, why in checks.items() if why != "ok"}
    for name, why in wrong.items():
        found = warning if name in degraded else broken
        yield found(f"{name}: {why}", remedy=_REMEDIES.get(name, f"{_LOG}{service}"))
    if not wrong:
        yield ok(f"ready, by its own word at {path}")


def _behind(conf: cfg.ConfigOpts) -> list[Step]:
    return [Step(_AGENT, lambda: _agent(conf), seconds=_SECONDS)]


def _agent(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    path = conf.relay.agent_socket
    try:
        reply = ask_at(path, "/")
    except Unanswered as error:
        yield broken(
            f"nobody answers at {path}: {error}",
            place(conf, "relay", "agent_socket"),
            remedy="is Neutron's metadata agent running, and may the proxy's user connect?",
        )
    else:
        yield ok(f"an agent answers at {path} (with {reply.status} to who is no guest)")
