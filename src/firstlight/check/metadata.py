"""The road of the metadata service, from its files to a signed request."""

from collections.abc import Sequence

from oslo_config import cfg

from firstlight.check import configuration
from firstlight.check.step import Asked, Step


def road(conf: cfg.ConfigOpts, asked: Asked) -> Sequence[Step]:  # noqa: ARG001
    """Every step, in the order of the road."""
    return [configuration.readable(conf), configuration.in_vain(conf)]
