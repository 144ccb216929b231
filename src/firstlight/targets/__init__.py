"""Vendor data, client side: a static file, and services that are asked about each instance.

``[api] vendordata_providers`` of a nova.conf, with Nova's options, request and meanings, and one
deadline for all targets together. What is asked here is not kept; :class:`Asks` is where a layer
that keeps answers goes around.
"""

from firstlight.targets.call import Settings
from firstlight.targets.dynamic import Asks, DynamicJSON, Observe
from firstlight.targets.session import AuthMisconfigured, open_session
from firstlight.targets.static import StaticJSON, StaticUnavailable
from firstlight.targets.targets import Target, parse
from firstlight.targets.vendordata import VendorData, vendor_data

__all__ = [
    "Asks",
    "AuthMisconfigured",
    "DynamicJSON",
    "Observe",
    "Settings",
    "StaticJSON",
    "StaticUnavailable",
    "Target",
    "VendorData",
    "open_session",
    "parse",
    "vendor_data",
]
