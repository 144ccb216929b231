"""The metadata service: what is known is kept, and told to whom it belongs."""

import threading
from concurrent.futures import Future

from msgspec import structs

from conformance.asking import signature
from firstlight.httpd.protocol.messages import Response
from firstlight.instance import Instance
from support.servers.databases import eventually
from support.servers.metadata_service import NAME, A, B, Bench, ask, begin, server, signed, told


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


def test_a_change_costs_only_the_addresses_it_may_concern(bench: Bench) -> None:
    """Those of the server that changed are looked up anew, and those that were nobody's."""
    service = bench.service(signed=False, ttl=3600, negative_ttl=3600, addresses_told=False)
    everybody = ("192.0.2.10", "192.0.2.11", "192.0.2.12")
    for peer in everybody * 2:
        ask(service, peer=peer)
    assert bench.shelf.finds == 3
    service.changed(B)
    for peer, finds in zip(everybody, (3, 4, 5), strict=True):
        ask(service, peer=peer)
        assert bench.shelf.finds == finds, peer


def test_an_address_that_a_second_server_is_given_is_nobodys_at_once(bench: Bench) -> None:
    """With the store, which tells of its own addresses, no guest is taken for another meanwhile."""
    service = bench.service(signed=False, ttl=3600)
    assert ask(service).status == 200
    [nic] = bench.store.instance(A).interfaces  # type: ignore[union-attr]
    assert nic.network is not None
    elsewhere = structs.replace(nic.network, id="another")  # where it may have the same address
    nic = structs.replace(nic, port_id="another", network=elsewhere)
    bench.store.revise(B, lambda old: structs.replace(old, interfaces=(nic,)))
    service.changed(B)
    assert ask(service).status == 500


def test_an_owner_found_before_it_changed_is_looked_for_again(bench: Bench) -> None:
    """A look-up that a change overtakes counts if the change is another server's, and only then."""
    service = bench.service(signed=False, ttl=3600, addresses_told=False)
    for uuid, begun, done in ((B, 1, 1), (A, 2, 3)):
        service.owners.forget(None)
        bench.shelf.hold = threading.Event()
        reply = begin(service)
        assert eventually(lambda begun=begun: bench.shelf.finds == begun)
        service.changed(uuid)
        bench.shelf.hold.set()
        assert told(reply).body == b"a.novalocal"
        assert bench.shelf.finds == done


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
