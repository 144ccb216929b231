"""Waiting until Neutron says that the ports are up, as Nova's options want it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nova import exception
from nova.virt.virtapi import VirtAPI
from oslo_config import cfg
from oslo_log import log as logging

from firstlight_dpm.compute.ports.vifs import Vif

LOG = logging.getLogger(__name__)
PLUGGED = "network-vif-plugged"


@contextmanager
def plugged(
    virtapi: VirtAPI, conf: cfg.ConfigOpts, instance: Any, vifs: Sequence[Vif]
) -> Iterator[None]:
    """What makes the NICs goes inside; leaving it waits for their ports.

    Ports that are up already are not waited for, nor is anything with a vif_plugging_timeout of
    0. Raises VirtualInterfaceCreateException if a port fails, or does not come up in time, unless
    vif_plugging_is_fatal is off.
    """
    waited = [vif.port for vif in vifs if not vif.active] if conf.vif_plugging_timeout else []

    def failed(event: str, instance: Any) -> bool:
        LOG.error("Neutron could not set up a port: %s", event, instance=instance)
        return _unless_fatal(conf)

    try:
        with virtapi.wait_for_instance_event(
            instance,
            [(PLUGGED, port) for port in waited],
            timeout=conf.vif_plugging_timeout,
            error_callback=failed,
        ):
            yield
    except exception.InstanceEventTimeout:
        LOG.warning(
            "Neutron has not said in %d s that these ports are up: %s; see that neutron-dpm-agent "
            "runs on this host and sees their NICs",
            conf.vif_plugging_timeout,
            ", ".join(waited),
        )
        _unless_fatal(conf)


def _unless_fatal(conf: cfg.ConfigOpts) -> bool:
    if conf.vif_plugging_is_fatal:
        raise exception.VirtualInterfaceCreateException()
    return True
