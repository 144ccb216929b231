"""Vendor data, client side: a static file, and services that are asked about each instance.

``[api] vendordata_providers`` of a nova.conf, with Nova's options, request and meanings, and one
deadline for all targets together. The road of one question::

    vendordata.VendorData     static and dynamic, and what is required
      dynamic.DynamicJSON     all targets at once, one deadline
        upstream.Upstream     one target: kept? under way? worth asking?
          kept.Shelf          answers, by instance and what was sent
          breaker.Breaker     leaves a target alone that fails again and again
          flight.Flight       a call under way, with all who wait for it
          call.Call           the call: token, request, redirects, size
            freshness         how long the answer may be kept (RFC 9111)
      terms, agreed           what is agreed with each target, and where that is written
"""

from firstlight.targets.account import Account
from firstlight.targets.alarm import Alarm
from firstlight.targets.breaker import Breaking
from firstlight.targets.dynamic import Answers, Asks, DynamicJSON
from firstlight.targets.failure import Kind
from firstlight.targets.kept import Shelf
from firstlight.targets.session import AuthMisconfigured, open_session
from firstlight.targets.static import StaticJSON, StaticUnavailable
from firstlight.targets.targets import Target, parse
from firstlight.targets.terms import Keeping, Settings, Terms
from firstlight.targets.vendordata import VendorData, vendor_data
from firstlight.targets.watching import Nobody, Observer, Served

__all__ = [
    "Account",
    "Alarm",
    "Answers",
    "Asks",
    "AuthMisconfigured",
    "Breaking",
    "DynamicJSON",
    "Keeping",
    "Kind",
    "Nobody",
    "Observer",
    "Served",
    "Settings",
    "Shelf",
    "StaticJSON",
    "StaticUnavailable",
    "Target",
    "Terms",
    "VendorData",
    "open_session",
    "parse",
    "vendor_data",
]
