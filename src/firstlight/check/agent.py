"""The road of the agent: its files and logs, its sockets, and the metadata service behind it."""

from collections.abc import Sequence

from oslo_config import cfg

from firstlight.check import relay
from firstlight.check.step import Asked, Step
from firstlight.check.steps import addresses, configuration, log, upstreams
from firstlight.check.steps.addresses import Wanted


def road(conf: cfg.ConfigOpts, asked: Asked) -> Sequence[Step]:
    """Every step, in the order of the road."""
    wanted = [
        Wanted(conf.metadata_proxy_socket, "DEFAULT", "metadata_proxy_socket", spare=False),
        Wanted(conf.relay.status_socket, "relay", "status_socket"),
    ]
    return [
        configuration.readable(conf),
        log.step(conf, "agent"),
        *([relay.ready(conf, "agent")] if asked.serving else [addresses.step(conf, wanted)]),
        *upstreams.steps(conf),
    ]
