"""The metadata service, its clock, date, source and targets handed in, asked without a socket."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from conformance.asking import signature
from firstlight.concurrency.workers import Workers
from firstlight.documents import seed
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.instance import Address, Answer, Instance, Interface, Network, Subnet
from firstlight.metadata.handler import MetadataService
from firstlight.metadata.settings import ALONE, ServiceSettings, SharedInstances
from firstlight.sources import SourceUnavailable
from firstlight.sources.store import Store, StorePorts
from firstlight.vendordata_client import StaticUnavailable

A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
NAME = "/latest/meta-data/local-hostname"


def server(uuid: str, name: str, address: str = "192.0.2.10", **fields: Any) -> Instance:
    """An instance with one address, which the load balancer lb serves."""
    subnet = Subnet(
        cidr="192.0.2.0/24", addresses=(Address(address=address),), service_providers=("lb",)
    )
    network = Network(id=f"net-{name}", subnets=(subnet,))
    nic = Interface(port_id=f"port-{name}", mac="fa:16:3e:00:00:01", network=network)
    return Instance(
        uuid=uuid, project_id="p", name=name, hostname=name, interfaces=(nic,), **fields
    )


class Shelf:
    """A source around a real store that counts, and can be away, or slow, or between two reads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.reads = self.finds = 0
        self.away = False
        self.hold: threading.Event | None = None

    def _asked(self) -> None:
        if self.hold is not None:
            assert self.hold.wait(10)
        if self.away:
            raise SourceUnavailable("the store: away, says the test")

    def instance(self, uuid: str) -> Instance | None:
        self.reads += 1
        found = self.store.instance(uuid)
        self._asked()
        return found

    def device_at_address(self, address: str) -> Any:
        self.finds += 1
        self._asked()
        return StorePorts(self.store).device_at_address(address)

    def device_at_provider(self, provider: str, address: str) -> Any:
        self.finds += 1
        self._asked()
        return StorePorts(self.store).device_at_provider(provider, address)

    def set_password(self, uuid: str, password: str) -> None:
        self._asked()
        self.store.set_password(uuid, password)

    def watch(self, changed: Callable[[str | None], None]) -> Callable[[], None]:
        return self.store.watch(changed)


class Vendor:
    """Vendor data as a test wants it."""

    def __init__(self) -> None:
        self.asked = self.ahead = 0
        self.outdated: list[str | None] = []
        self.static_value: Any = {}
        self.answers: dict[str, Answer] = {}
        self.why_fatal: str | None = None

    def static(self) -> Any:
        if self.static_value is None:
            raise StaticUnavailable("no file, says the test")
        return self.static_value

    @property
    def required(self) -> set[str]:
        return {"t"} if self.why_fatal else set()

    def begin(
        self, instance: Instance, *, only: Any = None, ahead: bool = False
    ) -> dict[str, Answer]:
        if ahead:
            self.ahead += 1
        else:
            self.asked += 1
        return self.answers

    def outdate(self, uuid: str | None) -> None:
        self.outdated.append(uuid)

    def fatal(self, _answers: dict[str, Answer]) -> str | None:
        return self.why_fatal


class Bench:
    """A service with all that it holds, asked without a socket."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.shelf = Shelf(store)
        self.vendor = Vendor()
        self.seconds = 1000.0
        self.date = datetime(2026, 11, 21, tzinfo=UTC)
        self.seeds = 0
        self._pools: list[Workers] = []

    def service(
        self,
        *,
        threads: int = 4,
        waiting: int = 64,
        shared: SharedInstances = ALONE,
        addresses_told: bool = True,
        **options: Any,
    ) -> MetadataService:
        """A service of these options; signed, with the secret s3, if they do not say otherwise."""
        lookups = Workers("lookup", threads=threads, waiting=waiting)
        asks = Workers("ask", threads=1, waiting=4)
        self._pools += (lookups, asks)
        return MetadataService(
            self.shelf,
            self.shelf,
            self.vendor,
            ServiceSettings(**({"signed": True, "secrets": ("s3",)} | options)),
            lookups=lookups,
            asks=asks,
            clock=lambda: self.seconds,
            now=lambda: self.date,
            seed=lambda: seed(self._random),
            shared=shared,
            addresses_told=addresses_told,
        )

    @property
    def idle(self) -> bool:
        return not any(pool.taken for pool in self._pools)

    def close(self) -> None:
        for pool in self._pools:
            pool.close()

    def _random(self, length: int) -> bytes:
        self.seeds += 1
        return self.seeds.to_bytes(length, "big")


def signed(uuid: str = A, *, secret: str = "s3", project: str = "p", **more: str) -> dict[str, str]:
    return {
        "x-instance-id": uuid,
        "x-tenant-id": project,
        "x-instance-id-signature": signature(secret, uuid),
    } | {name.replace("_", "-"): value for name, value in more.items()}


def begin(
    service: MetadataService,
    target: str = NAME,
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes = b"",
    peer: str = "192.0.2.10",
) -> Response | Future[Response]:
    """Ask; what comes back may be a future."""
    encoded = {name.encode(): value.encode() for name, value in (headers or {}).items()}
    if method == "POST":
        encoded[b"content-length"] = b"%d" % len(body)
    return service.handle(Request(method, target, encoded, body, peer=peer))


def told(reply: Response | Future[Response]) -> Response:
    """The response, waited for."""
    return reply.result(10) if isinstance(reply, Future) else reply


def ask(service: MetadataService, *args: Any, **more: Any) -> Response:
    return told(begin(service, *args, **more))
