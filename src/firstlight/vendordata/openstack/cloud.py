"""The look-ups that providers share."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from firstlight.concurrency.ttl_cache import TtlCache
from firstlight.vendordata.contract import Context, Need
from firstlight.vendordata.dispatch.request_cache import RequestCache
from firstlight.vendordata.openstack.service import Service

# What OpenStack makes of ids; anything else would only find its way into a URL.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

# Seconds. Projects are seldom renamed, an image's properties are seldom changed.
_KEPT = 60.0

Row = Mapping[str, Any]


class CloudCache:
    """What all clouds of one process remember from one request to the next."""

    def __init__(self) -> None:
        self.projects: TtlCache[Row | None] = TtlCache(_KEPT)
        self.images: TtlCache[Row | None] = TtlCache(_KEPT)


class Cloud:
    """Look-ups with `services`. For what does not exist they return None, or an empty list.

    All of them raise:
        ProviderFailed: it could not be found out.
        LookupError: the provider did not declare that it needs this.
    """

    def __init__(self, services: Mapping[Need, Service], kept: CloudCache) -> None:
        self._services = services
        self._remembered = kept

    def project(self, context: Context) -> Row | None:
        """The project, as Keystone shows it; an answer of the last minute will do."""
        wanted = context.project_id

        def look_up() -> Row | None:
            return _row(
                self._service(Need.PROJECT), f"/projects/{wanted}", "project", context.shared
            )

        return self._kept(self._remembered.projects, "project", wanted, context, look_up)

    def credentials(self, context: Context, kind: str) -> Sequence[Row]:
        """The project's credentials of the type `kind`, in Keystone's order.

        Keystone cannot filter by project.
        """
        path = f"/credentials?type={kind}"

        def look_up() -> Sequence[Row]:
            service = self._service(Need.CREDENTIALS)
            rows = _rows(service, path, "credentials", context.shared, secret=True)
            return [row for row in rows if row.get("project_id") == context.project_id]

        return context.shared.once(("credentials", kind), look_up)

    def server(self, context: Context) -> Row | None:
        """The server, as Nova shows it to an administrator."""
        wanted = context.instance_id
        if not _ID.fullmatch(wanted):
            return None

        def look_up() -> Row | None:
            return _row(self._service(Need.SERVER), f"/servers/{wanted}", "server", context.shared)

        return context.shared.once(("server", wanted), look_up)

    def actions(self, context: Context) -> Sequence[Row]:
        """What was done to the server, as Nova records it, the latest first."""
        wanted = context.instance_id
        if not _ID.fullmatch(wanted):
            return []
        path = f"/servers/{wanted}/os-instance-actions"

        def look_up() -> Sequence[Row]:
            return _rows(self._service(Need.SERVER), path, "instanceActions", context.shared)

        return context.shared.once(("actions", wanted), look_up)

    def ports(self, context: Context) -> Sequence[Row]:
        """The server's ports, as Neutron shows them to an administrator, by creation."""
        wanted = context.instance_id
        if not _ID.fullmatch(wanted):
            return []
        path = f"/ports?device_id={wanted}"

        def look_up() -> Sequence[Row]:
            rows = self._service(Need.PORTS).pages(path, "ports", context.shared)
            # Neutron promises no order.
            return sorted(rows, key=lambda row: (str(row.get("created_at")), str(row.get("id"))))

        return context.shared.once(("ports", wanted), look_up)

    def image(self, context: Context) -> Row | None:
        """The image that the server was booted from; None if that was a volume."""
        wanted = context.image_id

        def look_up() -> Row | None:
            # Glance's answer is the image itself.
            return _row(self._service(Need.IMAGE), f"/images/{wanted}", None, context.shared)

        return self._kept(self._remembered.images, "image", wanted, context, look_up)

    def volume(self, context: Context, wanted: str) -> Row | None:
        """The volume of this id."""
        if not _ID.fullmatch(wanted):
            return None

        def look_up() -> Row | None:
            return _row(self._service(Need.VOLUMES), f"/volumes/{wanted}", "volume", context.shared)

        return context.shared.once(("volume", wanted), look_up)

    def ready(self) -> None:
        """Ask each of the services for something small.

        Raises:
            ProviderFailed: one of them cannot be asked, or does not let us.
        """
        for need, service in self._services.items():
            service.get(_PROBES[need], RequestCache())

    def _service(self, need: Need) -> Service:
        return self._services[need]

    def _kept(
        self,
        kept: TtlCache[Row | None],
        what: str,
        wanted: str,
        context: Context,
        look_up: Callable[[], Row | None],
    ) -> Row | None:
        if not _ID.fullmatch(wanted):
            return None
        return context.shared.once((what, wanted), lambda: kept.get(wanted, look_up))


# What asks for the right that matters and costs the service next to nothing.
_PROBES = {
    Need.PROJECT: "/projects?name=firstlight-check",
    Need.CREDENTIALS: "/credentials?type=firstlight-check",
    Need.SERVER: "/servers?all_tenants=1&limit=1",
    Need.PORTS: "/ports?limit=1&fields=id",
    Need.IMAGE: "/images?limit=1",
    Need.VOLUMES: "/volumes?all_tenants=1&limit=1",
}


def _row(service: Service, path: str, key: str | None, shared: RequestCache) -> Row | None:
    body = service.get(path, shared)
    if body is None:
        return None
    try:
        row = body if key is None else body[key]
    except (KeyError, TypeError) as error:
        raise service.odd(path, error) from error
    if not isinstance(row, dict):
        raise service.odd(path, TypeError())
    return row


def _rows(
    service: Service, path: str, key: str, shared: RequestCache, *, secret: bool = False
) -> Sequence[Row]:
    body = service.get(path, shared, secret=secret)
    try:
        rows = [] if body is None else body[key]
        return [dict(row) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise service.odd(path, error) from error
