"""``dpm_nics`` as vendor data: a provider of Firstlight's vendordata service, for guests on IBM Z.

It looks at the guest's partition on the HMC. Only this module needs Firstlight, and only where the
vendordata service runs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

import zhmcclient
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Clients, Context, Need, Provider, ProviderFailed
from firstlight.vendordata.openstack import Cloud
from firstlight_dpm import options
from firstlight_dpm.cards import cards
from firstlight_dpm.errors import Gone, HmcError, NotShown, attempting
from firstlight_dpm.hmc import Hmc, Login
from firstlight_dpm.hmc.reachability import check_reachable
from firstlight_dpm.hmc.session import BadLogin

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DpmNics(Provider):
    """``{"nics": [...]}`` for an instance that is a partition; nothing for any other."""

    options = (
        cfg.ListOpt(
            "config_files",
            default=[],
            help="Files with a section [dpm], as nova-compute's, one for each machine (CPC): "
            "hmc, hmc_username, hmc_password and cpc_object_id are read, and the hmc_* options "
            "beside them. A user who may only look at partitions, adapters and virtual switches "
            "is enough.",
        ),
        cfg.BoolOpt(
            "networks",
            default=True,
            help="Say of each NIC which of Neutron's networks it is on, which takes a question to "
            "Neutron.",
        ),
        cfg.IntOpt(
            "max_age",
            default=10,
            min=0,
            help="Seconds for which an answer may be kept. NICs come and go while a server runs.",
        ),
    )
    needs = frozenset({Need.PORTS})

    def __init__(self, consoles: Mapping[str, Hmc], cloud: Cloud | None, *, max_age: int) -> None:
        self._consoles = consoles
        self._cloud = cloud
        self.max_age = max_age

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts.GroupAttr, clients: Clients) -> Self:
        """See :class:`Provider`."""
        if not conf.config_files:
            raise ConfigError(
                "config_files is empty: name a file with a [dpm] section for each machine"
            )
        consoles = {path: Hmc(read_login(path)) for path in conf.config_files}
        cloud = clients.cloud(cls.needs) if conf.networks else None
        return cls(consoles, cloud, max_age=conf.max_age)

    def provide(self, context: Context) -> Mapping[str, Any] | None:
        """See :class:`Provider`."""
        if not _UUID.fullmatch(context.instance_id):
            return None
        found = self._find(context.instance_id)
        if found is None:
            return None
        path, partition = found
        networks = self._networks(context)
        with _naming(path):
            told = cards(self._consoles[path], partition, networks)
        return {"nics": told} if told else None

    def ready(self) -> None:
        """See :class:`Provider`."""
        for path, hmc in self._consoles.items():
            with _naming(path):
                check_reachable(hmc, f"looking for the machine {hmc.login.cpc}")
        if self._cloud is not None:
            self._cloud.ready()

    def asks(self) -> Sequence[str]:
        """See :class:`Provider`."""
        hosts = sorted({" or ".join(hmc.login.hosts) for hmc in self._consoles.values()})
        ports = [] if self._cloud is None else [str(Need.PORTS)]
        return [*ports, *(f"partitions on HMC {host}" for host in hosts)]

    def close(self) -> None:
        """See :class:`Provider`."""
        for hmc in self._consoles.values():
            hmc.close()

    def _find(self, instance: str) -> tuple[str, zhmcclient.Partition] | None:
        """Whose file names its machine; an HMC that is away matters only if no other has it."""
        failures: list[tuple[str, HmcError]] = []
        for path, hmc in self._consoles.items():
            try:
                found = _partitions(hmc, instance)
            except HmcError as error:
                failures.append((path, error))
                continue
            if len(found) > 1:
                raise ProviderFailed(f"{path}: several partitions are named after {instance}.")
            if found:
                return path, found[0]
        if failures:
            path, first = failures[0]
            raise _failed(path, first) from first
        return None

    def _networks(self, context: Context) -> dict[str, str]:
        if self._cloud is None:
            return {}
        known = ((port.get("id"), port.get("network_id")) for port in self._cloud.ports(context))
        return {str(port): str(network) for port, network in known if port and network}


def read_login(path: str) -> Login:
    """How to ask the HMC of one machine; raises ConfigError, naming the file."""
    conf = cfg.ConfigOpts()
    options.register_common(conf)
    try:
        conf(args=[], default_config_files=[path], default_config_dirs=[])
        # A guest's question is answered within 4.5 seconds or not at all.
        return replace(Login.of(conf), connect_timeout=2, read_timeout=4, retries=0)
    except (cfg.Error, BadLogin, ValueError) as error:
        raise ConfigError(f"config_files: {path}: {error}") from error


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """What goes wrong inside is a ProviderFailed that begins with the machine's file."""
    try:
        yield
    except HmcError as error:
        raise _failed(path, error) from error


def _failed(path: str, error: HmcError) -> ProviderFailed:
    return ProviderFailed(f"{path}: {error}.")


def _partitions(hmc: Hmc, instance: str) -> list[zhmcclient.Partition]:
    """The partition of an instance, whatever the host of it is called; there should be only one."""
    form = f"OpenStack-.+-{instance}"
    attempt = f"looking for the partition of the instance {instance}"
    try:
        with attempting(attempt):
            listed = hmc.cpc().partitions.list(filter_args={"name": form})
    except Gone as error:  # partitions that are not there are an empty list
        raise NotShown(attempt, "the HMC shows no such machine") from error
    return [partition for partition in listed if re.fullmatch(form, partition.name)]
