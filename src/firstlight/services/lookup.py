"""An instance from wherever instances come from, and what its vendordata targets say of it."""

import sys
from contextlib import closing

from msgspec import structs
from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.conf.source import reads_nova
from firstlight.instance import Answer, Instance, State
from firstlight.metadata.backend import BackendError, open_backend, open_store
from firstlight.sources import InstanceGone, SourceUnavailable
from firstlight.sources.store import Refused
from firstlight.sources.store.finding import find
from firstlight.vendordata_client import StaticUnavailable, VendorData

# What can go wrong on the way from a configuration to an instance's documents.
TROUBLE = (
    ConfigError,
    InstanceGone,
    Refused,
    SourceUnavailable,
    StaticUnavailable,
    BackendError,
    ValueError,
)


def look_up(conf: cfg.ConfigOpts, name: str) -> Instance:
    """The instance of that name or UUID, with its security groups wherever they come from.

    Raises:
        InstanceGone: there is none. Any other of TROUBLE: it cannot be told.
    """
    if not reads_nova(conf):
        with closing(open_store(conf)) as store:
            return find(store, name).instance
    origin = open_backend(conf)
    try:
        instance = origin.source.instance(name)
        if instance is None:
            raise InstanceGone(f"Nova knows no instance {name}; give its UUID")
        if origin.groups is None:
            return instance
        groups = origin.groups.security_groups([instance.uuid])[instance.uuid]
        return structs.replace(instance, security_groups=groups)
    finally:
        origin.close()


def ask(vendordata: VendorData, instance: Instance) -> dict[str, Answer]:
    """What every dynamic target says; those that failed are told of on standard error."""
    answers = vendordata.ask(instance)
    for name, answer in answers.items():
        if answer.state is State.FAILED:
            print(f"vendordata target {name} failed: {answer.reason}", file=sys.stderr)
    return answers
