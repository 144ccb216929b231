"""The metadata service with its clock, date, source and targets handed in; no sockets."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from conformance.asking import signature
from firstlight.documents import Settings
from firstlight.instance import Address, Answer, Instance, Interface, Network, State, Subnet
from firstlight.metadata.service import Behaviour, MetadataService
from firstlight.sources import InstanceGone, SourceUnavailable
from firstlight.sources.store import Store
from firstlight.targets import StaticUnavailable
from firstlight.wire.messages import Request, Response
from firstlight.wire.pool import Pool
from servers import eventually

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

    def at_address(self, address: str) -> Any:
        self.finds += 1
        self._asked()
        return self.store.at_address(address)

    def at_provider(self, provider: str, address: str) -> Any:
        self.finds += 1
        self._asked()
        return self.store.at_provider(provider, address)

    def set_password(self, uuid: str, password: str) -> None:
        self._asked()
        self.store.set_password(uuid, password)

    def watch(self, changed: Callable[[str | None], None]) -> Callable[[], None]:
        return self.store.watch(changed)


class Vendor:
    """Vendor data as a test wants it."""

    def __init__(self) -> None:
        self.asked = 0
        self.static_value: Any = {}
        self.answers: dict[str, Answer] = {}
        self.why_fatal: str | None = None

    def static(self) -> Any:
        if self.static_value is None:
            raise StaticUnavailable("no file, says the test")
        return self.static_value

    def ask(self, _instance: Instance) -> dict[str, Answer]:
        self.asked += 1
        return self.answers

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
        self._pools: list[Pool] = []

    def service(self, *, threads: int = 4, waiting: int = 64, **options: Any) -> MetadataService:
        """A service of these options; signed, with the secret s3, if they do not say otherwise."""
        lookups = Pool("lookup", threads=threads, waiting=waiting)
        asks = Pool("ask", threads=1, waiting=4)
        self._pools += (lookups, asks)
        return MetadataService(
            self.shelf,
            self.vendor,
            Behaviour(**({"signed": True, "secrets": ("s3",)} | options)),
            lookups=lookups,
            asks=asks,
            clock=lambda: self.seconds,
            now=lambda: self.date,
            random=self._random,
        )

    def close(self) -> None:
        for pool in self._pools:
            pool.close()

    def _random(self, length: int) -> bytes:
        self.seeds += 1
        return self.seeds.to_bytes(length, "big")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = Store.open(f"sqlite:///{tmp_path}/store.sqlite")
    store.add_all([server(A, "a"), server(B, "b", "192.0.2.11")])
    bench = Bench(store)
    yield bench
    bench.close()
    store.close()


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


# -- what is known is kept ---------------------------------------------------------------------


def test_the_second_answer_is_hot(bench: Bench) -> None:
    """The first look-up goes to a thread; after it the same path is answered at once."""
    service = bench.service()
    first = begin(service, NAME, signed())
    assert isinstance(first, Future)
    assert told(first).body == b"a.novalocal"
    second = begin(service, NAME, signed())
    assert isinstance(second, Response)
    assert (second.body, second.headers) == (b"a.novalocal", ())
    assert bench.shelf.reads == 1


def test_another_path_of_a_known_instance_needs_no_look_up(bench: Bench) -> None:
    """Known is the instance, not the path; what does not exist is said at once too."""
    service = bench.service()
    ask(service, NAME, signed())
    for target, status in (("/openstack", 200), ("/1.0/", 200), ("/nothing", 404)):
        reply = begin(service, target, signed())
        assert isinstance(reply, Response)
        assert reply.status == status
    assert bench.shelf.reads == 1


def test_what_is_known_is_kept_for_its_time(bench: Bench) -> None:
    """Asked again when the time is over, which being asked does not lengthen."""
    service = bench.service(ttl=15)
    for _ in range(4):
        ask(service, NAME, signed())
        bench.seconds += 4.9
    assert bench.shelf.reads == 1
    bench.seconds += 0.5
    ask(service, NAME, signed())
    assert bench.shelf.reads == 2


def test_a_time_of_zero_keeps_nothing(bench: Bench) -> None:
    """metadata_cache_expiration = 0: each request asks."""
    service = bench.service(ttl=0)
    assert [ask(service, NAME, signed()).status for _ in range(3)] == [200] * 3
    assert bench.shelf.reads == 3


def test_nobody_is_remembered_briefly(bench: Bench) -> None:
    """That there is no such instance holds for a second, not for the whole time."""
    service = bench.service(ttl=15, negative_ttl=1)
    nobody = signed("00000000-0000-4000-8000-0000000000ff")
    assert [ask(service, NAME, nobody).status for _ in range(3)] == [404] * 3
    assert bench.shelf.reads == 1
    bench.seconds += 1.1
    assert ask(service, NAME, nobody).status == 404
    assert bench.shelf.reads == 2


def test_many_who_ask_at_once_cost_one_look_up(bench: Bench) -> None:
    """A boot of many servers' agents, or a crawl in parallel, reads an instance once."""
    bench.shelf.hold = threading.Event()
    service = bench.service()
    replies = [begin(service, NAME, signed()) for _ in range(20)]
    bench.shelf.hold.set()
    assert {told(reply).body for reply in replies} == {b"a.novalocal"}
    assert bench.shelf.reads == 1


def test_the_seed_is_new_and_the_rest_is_kept(bench: Bench) -> None:
    """random_seed differs from hot answer to hot answer; Folsom has none and draws none."""
    service = bench.service()
    target = "/openstack/latest/meta_data.json"
    bodies = {ask(service, target, signed()).body for _ in range(3)}
    assert (len(bodies), bench.seeds, bench.shelf.reads) == (3, 3, 1)
    ask(service, "/openstack/2012-08-10/meta_data.json", signed())
    assert bench.seeds == 3


def test_memory_is_bounded(bench: Bench) -> None:
    """More instances than fit push the oldest out, and all are still answered."""
    text = "x" * 60_000
    uuids = [f"00000000-0000-4000-8000-0000000001{number:02x}" for number in range(12)]
    for uuid in uuids:
        bench.store.add(
            Instance(uuid=uuid, project_id="p", name="n", hostname="n", network_config=text)
        )
    service = bench.service(memory_mib=1)
    for uuid in uuids:
        assert ask(service, "/openstack/content/0000", signed(uuid)).body == text.encode()
    assert service.records.bytes <= 1024 * 1024
    assert service.records.evicted > 0
    assert ask(service, "/openstack/content/0000", signed(uuids[0])).status == 200


# -- changes and outages -----------------------------------------------------------------------


def test_a_change_is_seen_at_once(bench: Bench) -> None:
    """With the store's watcher, a rebuilt server's name, and its end, are seen early."""
    service = bench.service(ttl=3600)
    stop = bench.shelf.watch(service.changed)
    assert ask(service, NAME, signed()).body == b"a.novalocal"
    bench.store.revise(A, lambda old: structs.replace(old, hostname="new"))
    assert eventually(lambda: ask(service, NAME, signed()).body == b"new.novalocal")
    bench.store.remove(A)
    assert eventually(lambda: ask(service, NAME, signed()).status == 404)
    stop()


def test_a_look_up_that_a_change_overtakes_is_not_kept(bench: Bench) -> None:
    """What was read before a change and arrives after it is read again."""
    bench.shelf.hold = threading.Event()
    service = bench.service()
    reply = begin(service, NAME, signed())
    assert eventually(lambda: bench.shelf.reads == 1)
    bench.store.revise(A, lambda old: structs.replace(old, hostname="new"))
    service.changed(A)
    bench.shelf.hold.set()
    assert told(reply).body == b"new.novalocal"


def test_a_source_that_is_away_leaves_what_is_known_and_says_so(bench: Bench) -> None:
    """Past its time a known instance is served as stale, with its age; back, it is fresh again."""
    service = bench.service(ttl=15, stale_limit=60)
    ask(service, NAME, signed())
    bench.shelf.away = True
    bench.seconds += 20
    stale = ask(service, NAME, signed())
    assert (stale.status, stale.body) == (200, b"a.novalocal")
    assert stale.headers == ((b"Firstlight-Stale", b"instance; age=20"),)
    bench.shelf.away = False
    bench.seconds += 2
    fresh = eventually(lambda: ask(service, NAME, signed()).headers == ())
    assert fresh


def test_a_source_that_is_away_and_nothing_known(bench: Bench) -> None:
    """503 and when to come back, not the 404 that means nobody."""
    bench.shelf.away = True
    response = ask(bench.service(), NAME, signed())
    assert (response.status, response.headers) == (503, ((b"Retry-After", b"1"),))


def test_stale_has_an_end(bench: Bench) -> None:
    """What is older than the limit is not served any more."""
    service = bench.service(ttl=15, stale_limit=60)
    ask(service, NAME, signed())
    bench.shelf.away = True
    bench.seconds += 76
    assert ask(service, NAME, signed()).status == 503


def test_who_has_an_address_is_never_stale(bench: Bench) -> None:
    """An address moves from one server to another, so an old answer could be another's data."""
    service = bench.service(signed=False, ttl=15, stale_limit=60)
    assert ask(service).body == b"a.novalocal"
    bench.shelf.away = True
    bench.seconds += 20
    assert ask(service).status == 503


def test_more_than_the_pool_holds_is_503(bench: Bench) -> None:
    """Look-ups past the pool's size are told to come back; what is known goes on being told."""
    service = bench.service(threads=1, waiting=1)
    ask(service, NAME, signed(B))
    bench.shelf.hold = threading.Event()
    uuids = [f"00000000-0000-4000-8000-0000000002{number:02x}" for number in range(4)]
    replies = [begin(service, "/openstack", signed(uuid)) for uuid in uuids]
    assert ask(service, NAME, signed(B)).body == b"b.novalocal"
    bench.shelf.hold.set()
    assert [told(reply).status for reply in replies] == [404, 404, 503, 503]
    assert told(replies[3]).headers == ((b"Retry-After", b"1"),)


# -- who is asking -----------------------------------------------------------------------------


def test_the_tenant_counts_after_caching_too(bench: Bench) -> None:
    """Another tenant gets the 404 of an unknown server, from a hot entry as from a cold one."""
    service = bench.service()
    assert ask(service, NAME, signed(project="q")).status == 404
    assert ask(service, NAME, signed()).status == 200
    assert ask(service, NAME, signed(project="q")).status == 404
    assert ask(service, NAME, signed(secret="other")).status == 403
    assert ask(service, NAME, signed()).status == 200


def test_secrets_rotate(bench: Bench) -> None:
    """New and old secrets sign, hot and cold; a forgotten one does not."""
    service = bench.service(secrets=("new", "old"))
    for secret, status in (("old", 200), ("new", 200), ("older", 403), ("old", 200)):
        assert ask(service, NAME, signed(secret=secret)).status == status


def test_who_a_provider_means_is_kept(bench: Bench) -> None:
    """Provider look-ups, address look-ups and instances each have entries of their own."""
    service = bench.service()
    lb = {"x-metadata-provider": "lb", "x-metadata-provider-signature": signature("s3", "lb")}
    for address, body in (("192.0.2.10", b"a.novalocal"), ("192.0.2.11", b"b.novalocal")) * 2:
        assert ask(service, NAME, lb | {"x-forwarded-for": address}).body == body
    assert (bench.shelf.finds, bench.shelf.reads) == (2, 2)
    assert ask(service, NAME, signed()).body == b"a.novalocal"
    assert bench.shelf.reads == 2


def test_an_address_that_moves_is_followed(bench: Bench) -> None:
    """Once the store says that something changed, the address belongs to its new owner."""
    service = bench.service(signed=False, ttl=3600)
    assert ask(service).body == b"a.novalocal"
    bench.store.remove(A)
    bench.store.update(server(B, "b", "192.0.2.10"))
    service.changed(A)
    service.changed(B)
    assert ask(service).body == b"b.novalocal"


def test_an_address_in_ipv6_clothes_is_the_same(bench: Bench) -> None:
    """A dual-stack socket's ::ffff:192.0.2.10 is 192.0.2.10."""
    assert ask(bench.service(signed=False), peer="::ffff:192.0.2.10").body == b"a.novalocal"


def test_without_an_address_nobody_is_found(bench: Bench) -> None:
    """500 as Nova's, on a unix socket without a proxy in front."""
    assert ask(bench.service(signed=False), peer="").status == 500


def test_a_requester_is_not_kept(bench: Bench) -> None:
    """local-ipv4 of a server without address is each time that of who asks."""
    uuid = "00000000-0000-4000-8000-0000000000cc"
    bench.store.add(Instance(uuid=uuid, project_id="p", name="c", hostname="c"))
    service = bench.service()
    target = "/latest/meta-data/local-ipv4"
    for address in ("192.0.2.77", "192.0.2.78"):
        assert ask(service, target, signed(uuid, x_forwarded_for=address)).body == address.encode()
    assert ask(service, target, signed(uuid)).body == b"None"


# -- passwords ---------------------------------------------------------------------------------


def post(service: MetadataService, body: bytes = b"secret") -> Response | Future[Response]:
    return begin(service, "/openstack/latest/password", signed(), method="POST", body=body)


def test_of_two_passwords_at_once_one_is_kept(bench: Bench) -> None:
    """Two guests' tools race: one gets 200, the other 409, and the first one's is read."""
    services = [bench.service() for _ in range(8)]
    together = threading.Barrier(len(services))

    def race(number: int) -> int:
        together.wait(10)
        return told(post(services[number], b"%d" % number)).status

    with ThreadPoolExecutor(len(services)) as threads:
        statuses = list(threads.map(race, range(len(services))))
    assert sorted(statuses) == [200] + [409] * (len(services) - 1)
    winner = statuses.index(200)
    kept = ask(services[winner], "/openstack/latest/password", signed()).body
    assert kept == b"%d" % winner


def test_a_password_is_read_back_at_once(bench: Bench) -> None:
    """Its own post is not hidden by what was known before, nor by another service's memory."""
    service, other = bench.service(ttl=3600), bench.service(ttl=3600)
    for each in (service, other):
        assert ask(each, "/openstack/latest/password", signed()).body == b""
    assert told(post(service)).status == 200
    assert ask(service, "/openstack/latest/password", signed()).body == b"secret"
    assert told(post(other)).status == 409


def test_a_password_for_a_server_that_is_gone(bench: Bench) -> None:
    """Deleted between the look-up and the write: 400, which names it."""
    service = bench.service()
    ask(service, NAME, signed())
    bench.store.remove(A)
    with pytest.raises(InstanceGone):
        bench.store.set_password(A, "x")
    response = told(post(service))
    assert response.status == 400
    assert f"Instance {A} could not be found.".encode() in response.body


def test_a_password_while_the_store_is_away(bench: Bench) -> None:
    """503, nothing stored; afterwards it can be stored."""
    service = bench.service()
    ask(service, NAME, signed())
    bench.shelf.away = True
    assert told(post(service)).status == 503
    bench.shelf.away = False
    assert told(post(service)).status == 200


# -- vendor data and versions ------------------------------------------------------------------


def dynamic(**options: Any) -> dict[str, Any]:
    return {"documents": Settings(vendordata_providers=("StaticJSON", "DynamicJSON"))} | options


def test_targets_are_asked_for_their_document_only(bench: Bench) -> None:
    """Each request of vendor_data2.json asks; nothing else does."""
    service = bench.service(**dynamic())
    bench.vendor.answers = {"t": Answer(value=[1], state=State.OK, fetched=0.0)}
    for target in ("/openstack", "/openstack/latest", "/openstack/latest/vendor_data.json"):
        assert ask(service, target, signed()).status == 200
    assert bench.vendor.asked == 0
    for _ in range(2):
        response = ask(service, "/openstack/latest/vendor_data2.json", signed())
        assert response.body == b'{"static": {}, "t": [1]}'
    assert bench.vendor.asked == 2


def test_fatal_vendor_data_costs_its_own_document_only(bench: Bench) -> None:
    """503 and when to come back for vendor_data2.json; the rest is told."""
    service = bench.service(**dynamic())
    bench.vendor.why_fatal = "target t failed, says the test"
    response = ask(service, "/openstack/latest/vendor_data2.json", signed())
    assert (response.status, response.headers) == (503, ((b"Retry-After", b"1"),))
    assert ask(service, "/openstack/latest/meta_data.json", signed()).status == 200


def test_a_static_file_that_cannot_be_read_fails_all_but_the_open_list(bench: Bench) -> None:
    """500 in Nova's words, not kept: once the file is there, guests are answered."""
    service = bench.service()
    bench.vendor.static_value = None
    response = ask(service, "/openstack", signed())
    assert response.status == 500
    assert b"An unknown error has occurred." in response.body
    assert ask(service, "/", {}).status == 200
    bench.vendor.static_value = {}
    assert ask(service, "/openstack", signed()).status == 200


def test_a_version_to_come_is_served_and_not_listed(bench: Bench) -> None:
    """Before its date a version is missing from the list; latest is it all the same."""
    bench.date = datetime(2020, 10, 13, 23, 59, tzinfo=UTC)
    service = bench.service()
    listed = ask(service, "/openstack", signed()).body.decode().split("\n")
    assert listed[-2:] == ["2018-08-27", "latest"]
    by_name = ask(service, "/openstack/2025-04-04/meta_data.json", signed())
    latest = ask(service, "/openstack/latest/meta_data.json", signed())
    assert (by_name.status, latest.status) == (200, 200)
    assert b"dedicated_cpus" in latest.body


def test_a_version_is_listed_on_its_day(bench: Bench) -> None:
    """The date is that of UTC, and counts from its first moment."""
    bench.date = datetime(2020, 10, 14, tzinfo=UTC)
    listed = ask(bench.service(), "/openstack", signed()).body.decode().split("\n")
    assert listed[-2:] == ["2020-10-14", "latest"]
