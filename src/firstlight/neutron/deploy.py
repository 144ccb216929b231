"""From a configuration to a Neutron that can be asked."""

from oslo_config import cfg

from firstlight.neutron.client import Neutron
from firstlight.neutron.lists import Lists, Observe
from firstlight.neutron.session import GROUP, open_adapter

_THREADS = 8


def open_neutron(
    conf: cfg.ConfigOpts, *, threads: int = _THREADS, observe: Observe | None = None
) -> Neutron:
    """Neutron as ``[neutron]`` names it. Nothing is sent yet.

    Args:
        conf: of the metadata service.
        threads: questions about addresses that are open at a time.
        observe: called once per list that is read: its name, whether that worked, the seconds.

    Raises:
        firstlight.neutron.NeutronMisconfigured: the options cannot be used.
    """
    section = conf[GROUP]
    lists = Lists(
        open_adapter(conf, pool_size=threads + 2),
        retries=section.http_retries,
        timeout=section.timeout,
        observe=observe,
    )
    return Neutron(lists, deadline=conf.firstlight.neutron_deadline, threads=threads)
