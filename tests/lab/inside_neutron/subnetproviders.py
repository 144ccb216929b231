"""Runs inside the lab's Neutron: subnets have `advanced_service_providers`, as with VMware NSX.

Neutron by itself has no such attribute; NSX's plugin brings it. This extension lets a subnet's name
say which provider serves it, and lets subnets be listed by it; whatever else is Neutron's.
"""

from neutron.db import models_v2
from neutron_lib.api import extensions
from neutron_lib.db import model_query
from neutron_lib.services import base

ALIAS = "advanced-service-providers"
ATTRIBUTE = "advanced_service_providers"


def _served(query, filters):
    wanted = (filters or {}).get(ATTRIBUTE)
    return query.filter(models_v2.Subnet.name.in_(wanted)) if wanted else query


class Subnetproviders(extensions.ExtensionDescriptor):
    """The API extension; Neutron finds it by the name of this file."""

    @classmethod
    def get_name(cls):
        return "Advanced service providers"

    @classmethod
    def get_alias(cls):
        return ALIAS

    @classmethod
    def get_description(cls):
        return "Which load balancers may ask for metadata"

    @classmethod
    def get_updated(cls):
        return "2013-12-11T00:00:00-00:00"

    def get_extended_resources(self, version):
        attribute = {
            "allow_post": False,
            "allow_put": False,
            "is_visible": False,
            "is_filter": True,
            "default": None,
        }
        return {"subnets": {ATTRIBUTE: attribute}} if version == "2.0" else {}


class Providers(base.ServicePluginBase):
    """What makes Neutron take the extension for supported."""

    supported_extension_aliases = (ALIAS,)

    def __init__(self):
        super().__init__()
        model_query.register_hook(models_v2.Subnet, ALIAS, None, None, result_filters=_served)

    @classmethod
    def get_plugin_type(cls):
        return ALIAS

    def get_plugin_description(self):
        return "Which load balancers may ask for metadata"
