"""Vendor data, client side: a static file, and services that are asked about each instance.

``[api] vendordata_providers`` of a nova.conf, with Nova's options, request and meanings, and one
deadline for all targets together. The road of one question::

    vendordata.VendorData                static and dynamic, and what is required
      dynamic.DynamicJSON                all targets at once, one deadline
        target_client.TargetClient       one target: cached? under way? worth asking?
          cache.ResponseCache            answers, by instance and what was sent
          CircuitBreaker                 leaves a target alone that fails again and again
          calls.flight.SharedCall        a call under way, with all who wait for it
          calls.call.TargetCall          the call: token, request, redirects, size
            cache.freshness              how long the answer may be kept (RFC 9111)
      policy, options                    what is agreed with each target, and where that is written
"""

from firstlight.concurrency.circuit_breaker import BreakerEffect
from firstlight.concurrency.timers import Timers
from firstlight.vendordata_client.cache.response_cache import ResponseCache
from firstlight.vendordata_client.calls.failure import Kind
from firstlight.vendordata_client.dynamic import Answers, AsksTargets, DynamicJSON
from firstlight.vendordata_client.observer import NoObserver, ServedFrom, TargetObserver
from firstlight.vendordata_client.policy import CachePolicy, CallPolicy, TargetPolicy
from firstlight.vendordata_client.session import AuthMisconfigured, open_session
from firstlight.vendordata_client.static import StaticJSON, StaticUnavailable
from firstlight.vendordata_client.status import TargetStatus
from firstlight.vendordata_client.targets import Target, parse
from firstlight.vendordata_client.vendordata import VendorData, vendor_data

__all__ = [
    "Answers",
    "AsksTargets",
    "AuthMisconfigured",
    "BreakerEffect",
    "CachePolicy",
    "CallPolicy",
    "DynamicJSON",
    "Kind",
    "NoObserver",
    "ResponseCache",
    "ServedFrom",
    "StaticJSON",
    "StaticUnavailable",
    "Target",
    "TargetObserver",
    "TargetPolicy",
    "TargetStatus",
    "Timers",
    "VendorData",
    "open_session",
    "parse",
    "vendor_data",
]
