"""The door of this configuration, with whatever stands behind it."""

import logging
import time

from oslo_config import cfg

from firstlight.concurrency.workers import Workers
from firstlight.metadata.backend import Backend, BackendError
from firstlight.metadata.boot.boot_gate import BootGate, HoldPolicy
from firstlight.metadata.boot.set_server_error import (
    NovaErrorSetter,
    StoreErrorSetter,
    open_compute,
)
from firstlight.metadata.boot.watchdog import ErrorSetter, Watchdog
from firstlight.metadata.settings import VendorDataProvider
from firstlight.sources.store import Store
from firstlight.vendordata_client import Timers

LOG = logging.getLogger(__name__)

# Between the last moment a guest is held and the one at which the HTTP server answers 503: a
# 503 for a cloud-init that does not come back is what holding is there to avoid.
_MARGIN = 0.5


def open_boot_gate(
    conf: cfg.ConfigOpts, vendordata: VendorDataProvider, origin: Backend, pool: Workers
) -> BootGate:
    """Who is met at ``/openstack`` and how, by ``[firstlight] vendordata_*``.

    Raises:
        BackendError: the options contradict each other or lack one.
    """
    own = conf.firstlight
    holding = HoldPolicy(seconds=own.vendordata_hold, retry_after=own.vendordata_retry_after)
    if holding.seconds > own.deadline - _MARGIN:
        raise BackendError(
            f"[firstlight] vendordata_hold is {holding.seconds:g} and must be at most "
            f"{own.deadline - _MARGIN:g}, half a second below [firstlight] deadline"
        )
    if not (holding.seconds or holding.retry_after or own.vendordata_error_after):
        return BootGate(vendordata, clock=time.monotonic)
    if not vendordata.required:
        LOG.warning(
            "no vendordata target is required, so [firstlight] vendordata_hold, "
            "vendordata_retry_after and vendordata_error_after have no effect"
        )
    alarm = Timers()
    return BootGate(
        vendordata,
        holding,
        clock=time.monotonic,
        alarm=alarm,
        vigil=_watchdog(conf, vendordata, origin, alarm, pool),
    )


def _watchdog(
    conf: cfg.ConfigOpts,
    vendordata: VendorDataProvider,
    origin: Backend,
    alarm: Timers,
    pool: Workers,
) -> Watchdog | None:
    seconds = conf.firstlight.vendordata_error_after
    if not seconds:
        return None
    verdict = _error_setter(conf, origin)
    return Watchdog(vendordata, verdict, seconds=seconds, alarm=alarm, pool=pool)


def _error_setter(conf: cfg.ConfigOpts, origin: Backend) -> ErrorSetter:
    if isinstance(origin.source, Store):
        return StoreErrorSetter(origin.source)
    return NovaErrorSetter(open_compute(conf), since=conf.firstlight.vendordata_error_after)
