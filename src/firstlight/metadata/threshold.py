"""The door of this configuration, with whatever stands behind it."""

import logging
import time

from oslo_config import cfg

from firstlight.metadata.behaviour import VendorData
from firstlight.metadata.door import Door, Holding
from firstlight.metadata.origin import Origin, Unusable
from firstlight.metadata.verdict import NovaVerdict, StoreVerdict, open_compute
from firstlight.metadata.vigil import Verdict, Vigil
from firstlight.sources.store import Store
from firstlight.targets import Alarm
from firstlight.wire.pool import Pool

LOG = logging.getLogger(__name__)

# Between the last moment a guest is held and the one at which the wire answers 503 to anybody: a
# 503 for a cloud-init that does not come back is what holding is there to avoid.
_MARGIN = 0.5


def open_door(conf: cfg.ConfigOpts, vendordata: VendorData, origin: Origin, pool: Pool) -> Door:
    """Who is met at ``/openstack`` and how, by ``[firstlight] vendordata_*``.

    Raises:
        Unusable: the options contradict each other or lack one.
    """
    own = conf.firstlight
    holding = Holding(seconds=own.vendordata_hold, retry_after=own.vendordata_retry_after)
    if holding.seconds > own.deadline - _MARGIN:
        raise Unusable(
            f"[firstlight] vendordata_hold is {holding.seconds:g} and must be at most "
            f"{own.deadline - _MARGIN:g}, half a second below [firstlight] deadline"
        )
    if not (holding.seconds or holding.retry_after or own.vendordata_error_after):
        return Door(vendordata, clock=time.monotonic)
    if not vendordata.required:
        LOG.warning(
            "no vendordata target is required, so [firstlight] vendordata_hold, "
            "vendordata_retry_after and vendordata_error_after have no effect"
        )
    alarm = Alarm()
    return Door(
        vendordata,
        holding,
        clock=time.monotonic,
        alarm=alarm,
        vigil=_vigil(conf, vendordata, origin, alarm, pool),
    )


def _vigil(
    conf: cfg.ConfigOpts, vendordata: VendorData, origin: Origin, alarm: Alarm, pool: Pool
) -> Vigil | None:
    seconds = conf.firstlight.vendordata_error_after
    if not seconds:
        return None
    verdict = _verdict(conf, origin)
    return Vigil(vendordata, verdict, seconds=seconds, alarm=alarm, pool=pool)


def _verdict(conf: cfg.ConfigOpts, origin: Origin) -> Verdict:
    if isinstance(origin.source, Store):
        return StoreVerdict(origin.source)
    return NovaVerdict(open_compute(conf), since=conf.firstlight.vendordata_error_after)
