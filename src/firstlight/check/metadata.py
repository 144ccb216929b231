"""The road of the metadata service, from its files to a signed request."""

from collections.abc import Sequence

from oslo_config import cfg

from firstlight.check.step import Asked, Step
from firstlight.check.steps import (
    addresses,
    configuration,
    freshness,
    listening,
    log,
    neutron,
    nova,
    secret,
    store,
    vendordata_client,
)
from firstlight.check.steps.addresses import Wanted
from firstlight.conf.source import reads_nova


def road(conf: cfg.ConfigOpts, asked: Asked) -> Sequence[Step]:
    """Every step, in the order of the road."""
    return [
        configuration.readable(conf),
        configuration.release(conf),
        configuration.in_vain(conf),
        log.step(conf, "metadata"),
        secret.step(conf, asked),
        *(_of_nova(conf, asked) if reads_nova(conf) else [store.step(conf)]),
        *vendordata_client.steps(conf),
        *(listening.metadata(conf) if asked.serving else [addresses.step(conf, _wanted(conf))]),
    ]


def _wanted(conf: cfg.ConfigOpts) -> list[Wanted]:
    return [
        Wanted(conf.metadata_listen_port, "DEFAULT", "metadata_listen_port", spare=False),
        Wanted(conf.firstlight.status_port, "firstlight", "status_port"),
    ]


def _of_nova(conf: cfg.ConfigOpts, asked: Asked) -> list[Step]:
    secrets = (conf.neutron.metadata_proxy_shared_secret, *conf.firstlight.previous_shared_secrets)
    return [
        *nova.steps(conf, asked),
        *neutron.steps(conf),
        *freshness.steps(conf, secrets),
    ]
