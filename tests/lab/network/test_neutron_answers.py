"""Real Neutron's answers, as our client and as Nova's own code understand them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from firstlight.neutron import Neutron
from firstlight.sources.ports import Device, NeutronUnavailable
from lab.real_neutron import WITH_PROVIDERS

ADDRESSES = (
    "10.0.0.11",
    "fd00:1::11",
    "10.0.0.12",  # in both projects
    "10.0.0.13",
    "10.0.0.20",
    "10.0.0.30",  # a port of nobody's
    "10.0.0.99",
    "10.0.0.11, 10.0.0.12",
    "not an address",
)
AT_PROVIDERS = (
    ("lb-red", "10.0.0.11"),
    ("lb-red", "fd00:1::11"),
    ("lb-red", "10.0.0.12"),
    ("lb-blue", "10.0.0.12"),
    ("lb-blue", "10.1.0.20"),
    ("lb-blue", "10.0.0.30"),
    ("lb-blue", "10.0.0.99"),
    ("lb-blue", "not an address"),
    ("nobody's & strange=1", "10.0.0.11"),
)


@pytest.fixture
def ours(town: Any) -> Iterator[Neutron]:
    client = town.cloud.ours()
    yield client
    client.close()


def as_nova_says(found: Any, provider: str, address: str) -> Any:
    """What Nova's handler makes of what the client found (metadata-api §3.3)."""
    if found is None:
        return f"Could not find any subnets for provider {provider}"
    if len(found) != 1:
        return (
            f"Expected a single port matching provider {provider} and IP {address}. "
            f"Found {len(found)}."
        )
    return list(found[0])


def owner_as_nova_says(found: Any) -> str:
    """What Nova makes of the devices at an address (metadata-api §3.4)."""
    if len(found) == 1:
        return str(found[0].id)
    return "FixedIpAssociatedWithMultipleInstances" if found else "FixedIpNotFoundForAddress"


def test_names_of_groups_are_novas_in_novas_order(town: Any, ours: Neutron) -> None:
    """One batch for all instances says of each what Nova says of it alone."""
    ids = list(town.instances.values())
    told = town.cloud.novas([["groups", i] for i in ids])
    assert [list(names) for names in ours.security_groups(ids).values()] == told
    many = ours.security_groups([town.instances["many"]])[town.instances["many"]]
    assert len(many) == 6
    assert {"web", "db", "grün €"} < set(many)
    assert len([name for name in many if len(name) == 36]) == 1  # the nameless one's id
    assert told[ids.index(town.instances["no ports"])] == []


def test_role_service_alone_sees_no_groups(town: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neutron shows such a user all ports and no one's groups: none, as with Nova, but said."""
    ids = list(town.instances.values())
    client = town.cloud.ours("nova")
    try:
        ours = [list(names) for names in client.security_groups(ids).values()]
    finally:
        client.close()
    assert ours == town.cloud.novas([["groups", i] for i in ids], "nova") == [[]] * len(ids)
    assert "the user needs the role admin" in caplog.text


def test_owner_of_an_address_is_novas(town: Any, ours: Neutron) -> None:
    """Across all networks and projects, one, several or nobody, as Nova counts them."""
    found = [owner_as_nova_says(ours.device_at_address(address)) for address in ADDRESSES]
    assert found == town.cloud.novas([["address", address] for address in ADDRESSES])
    [device] = ours.device_at_address("10.0.0.11")
    assert device == Device(town.instances["one"], town.projects["red"])


def test_owner_at_a_provider_is_novas(town: Any, ours: Neutron) -> None:
    """Equal addresses of two projects are told apart by the load balancer that asks."""
    found = [as_nova_says(ours.device_at_provider(*asked), *asked) for asked in AT_PROVIDERS]
    assert found == town.cloud.novas([["provider", *asked] for asked in AT_PROVIDERS])
    assert found[0] == [town.instances["one"], town.projects["red"]]
    assert found[3] == [town.instances["default"], town.projects["blue"]]


def test_more_subnets_than_fit_a_request_in_pages(town: Any) -> None:
    """161 subnets of one network: two questions, counted as Nova counts; pages are followed."""
    neutron = town.cloud.neutron
    network = town.network("red")
    subnet = neutron.make(
        "subnet",
        network_id=network,
        project_id=town.projects["red"],
        name="lb-many",
        ip_version=4,
        cidr="10.200.7.0/28",
    )
    neutron.copy_subnet(subnet["id"], [f"10.201.{number}.0/28" for number in range(160)])
    town.port("crowded", "red", network, "10.200.7.5")
    neutron.stop()
    neutron.configure(**WITH_PROVIDERS, pagination_max_limit="50")
    neutron.start()
    client = town.cloud.ours()
    try:
        asked = ("lb-many", "10.200.7.5")
        found = as_nova_says(client.device_at_provider(*asked), *asked)
        [told] = town.cloud.novas([["provider", *asked]])
        assert found == told == as_nova_says([1, 2], *asked)
        many = town.instances["many"]
        assert [list(client.security_groups([many])[many])] == town.cloud.novas([["groups", many]])
    finally:
        client.close()
        neutron.stop()
        neutron.configure(**WITH_PROVIDERS)
        neutron.start()


def test_many_ask_at_once(town: Any, ours: Neutron) -> None:
    """Forty threads that ask about their own instance each get their own answer."""
    ids = list(town.instances.values())
    alone = ours.security_groups(ids)
    with ThreadPoolExecutor(40) as threads:
        asked = [ids[i % len(ids)] for i in range(40)]
        together = list(threads.map(lambda i: ours.security_groups([i])[i], asked))
    assert together == [alone[i] for i in asked]


def test_what_changes_is_seen_with_the_next_question(town: Any, ours: Neutron) -> None:
    """Nothing is kept here: a group renamed and a port added count at once, as with Nova."""
    late = town.instances.setdefault("late", "00000000-0000-4000-8000-00000000fade")
    assert ours.security_groups([late]) == {late: ()}
    group = town.group("red", "before")
    town.port("late", "red", town.network("red", "10.9.0.0/24"), security_groups=[group])
    assert ours.security_groups([late]) == {late: ("before",)}
    town.cloud.neutron.change("security_group", group, name="after")
    assert ours.security_groups([late]) == {late: ("after",)}
    assert town.cloud.novas([["groups", late]]) == [["after"]]


def test_neutron_without_providers_says_so(town: Any) -> None:
    """Neutron by itself has no such attribute; its refusal is a failure, not "no such subnet"."""
    neutron = town.cloud.neutron
    neutron.stop()
    neutron.configure()
    neutron.start()
    client = town.cloud.ours()
    try:
        with pytest.raises(NeutronUnavailable, match=r"answered 400 to GET subnets: .*invalid att"):
            client.device_at_provider("lb-red", "10.0.0.11")
    finally:
        client.close()
        neutron.stop()
        neutron.configure(**WITH_PROVIDERS)
        neutron.start()
