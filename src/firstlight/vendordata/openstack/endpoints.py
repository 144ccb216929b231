"""Which services there are behind the needs, and what each of them asks of its user."""

from msgspec import Struct

from firstlight.vendordata.contract import Need


class Endpoint(Struct, frozen=True, kw_only=True):
    """`service_type` finds it in the catalog; `version` is the path of its API, if that is open."""

    name: str
    service_type: str
    rights: str
    version: str = ""
    microversion: str | None = None


KEYSTONE = Endpoint(
    name="Keystone",
    service_type="identity",
    version="/v3",
    rights="the role reader on the system (system_scope = all) is enough",
)
NOVA = Endpoint(
    name="Nova",
    service_type="compute",
    microversion="2.3",  # host name and user data of a server; 2015
    rights="other projects' servers, and their hosts, are shown to the role admin",
)
NEUTRON = Endpoint(
    name="Neutron",
    service_type="network",
    version="/v2.0",
    rights="other projects' ports, and their binding, are shown to the roles service and admin",
)
GLANCE = Endpoint(
    name="Glance",
    service_type="image",
    version="/v2",
    rights="other projects' images are shown to the role admin",
)
CINDER = Endpoint(
    name="Cinder",
    service_type="block-storage",
    rights="other projects' volumes are shown to the role admin",
)

ENDPOINTS = {
    Need.PROJECT: KEYSTONE,
    Need.CREDENTIALS: KEYSTONE,
    Need.SERVER: NOVA,
    Need.PORTS: NEUTRON,
    Need.IMAGE: GLANCE,
    Need.VOLUMES: CINDER,
}
