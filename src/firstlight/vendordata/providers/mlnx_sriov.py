"""``mlnx_sriov``: what Mellanox' mechanism driver left in the binding of the instance's ports.

The element ``mellanox-sriov`` in the image reads it and makes the virtual functions. The shape is
pcss-vendor-metadata's; it told of one port and said nothing of the others.
"""

import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

from oslo_config import cfg

from firstlight.vendordata.contract import Clients, Context, Need, ProviderFailed
from firstlight.vendordata.openstack import Cloud
from firstlight.vendordata.providers.backed import ByCloud, max_age

LOG = logging.getLogger(__name__)

_DETAILS = "binding:vif_details"
KEYS = (
    "enable_sriov",
    "default_limited_pkeys",
    "physical_guids",
    "virtual_guids",
    "dynamic_pkey",
)


class MlnxSriov(ByCloud):
    """The first port with SR-IOV, in pcss's five keys; nothing if there is none."""

    options = (
        cfg.BoolOpt(
            "all_ports",
            default=False,
            help="Add a key `ports`: a list with the five keys, `port_id` and `mac` of each port "
            "that has SR-IOV. Without it the answer is pcss-vendor-metadata's.",
        ),
        max_age(10, "A port's binding changes when the server moves to another host."),
    )
    needs = frozenset({Need.PORTS})

    def __init__(self, cloud: Cloud, *, all_ports: bool, max_age: int) -> None:
        super().__init__(cloud, max_age=max_age)
        self._all_ports = all_ports

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        return cls(clients.cloud(cls.needs), all_ports=conf.all_ports, max_age=conf.max_age)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        ports = self._cloud.ports(context)
        if not ports:
            LOG.info("Neutron has no port of the instance %s", context.instance_id)
        enabled = [port for port in ports if _details(port).get("enable_sriov") is True]
        if not enabled:
            return None
        first = _told(enabled[0])
        return first | {"ports": _each(enabled)} if self._all_ports else first


def _details(port: Mapping[str, Any]) -> Mapping[str, Any]:
    if _DETAILS not in port:
        raise ProviderFailed(
            "Neutron does not show the binding of ports to the user that asks; "
            "it needs the role service or admin."
        )
    return port[_DETAILS] or {}


def _told(port: Mapping[str, Any]) -> dict[str, Any]:
    details = _details(port)
    return {key: deepcopy(details[key]) for key in KEYS if key in details}


def _each(ports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"port_id": port.get("id"), "mac": port.get("mac_address"), **_told(port)} for port in ports
    ]
