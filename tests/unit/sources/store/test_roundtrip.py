"""Whatever an instance holds comes back from a store and from its document."""

import base64
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstlight.instance import (
    Address,
    BlockDevice,
    Disk,
    Instance,
    Interface,
    Keypair,
    Network,
    Nic,
    Route,
    Share,
    Subnet,
)
from firstlight.sources.store import Store
from firstlight.sources.store.documents import files, writing
from support.cloud.store_samples import uuid

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
name = st.text("abcxyz äß日😀-_.'\"#:{}[]&*!|>%@`0123456789", min_size=1, max_size=20)
hostname = st.from_regex("[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True)
uuids = st.integers(0, 50).map(uuid)
mac = st.from_regex("([0-9a-f]{2}:){5}[0-9a-f]{2}", fullmatch=True)

user_data = (st.binary() | text.map(str.encode)).map(base64.b64encode).map(bytes.decode)


def few(strategy: st.SearchStrategy[Any], size: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    """A short tuple."""
    return st.lists(strategy, max_size=size).map(tuple)


def ip(version: int) -> st.SearchStrategy[str]:
    """A canonical address."""
    return st.ip_addresses(v=version).map(str)  # type: ignore[arg-type]


@st.composite
def subnets(draw: Callable[..., Any]) -> Subnet:
    """A subnet whose addresses are in it."""
    version = draw(st.sampled_from([4, 6]))
    first = ipaddress.ip_address(draw(ip(version)))
    width = first.max_prefixlen
    cidr = ipaddress.ip_network((first, draw(st.integers(0, width))), strict=False)
    return Subnet(
        cidr=str(cidr),
        addresses=draw(st.sampled_from([(), (Address(address=str(first), floating=("::1",)),)])),
        gateway=draw(st.none() | ip(version)),
        dns=draw(few(ip(version))),
        routes=draw(few(st.builds(Route, cidr=st.just(str(cidr)), gateway=ip(version)))),
        dhcp_server=draw(st.none() | ip(version)),
        enable_dhcp=draw(st.booleans()),
        service_providers=draw(few(name)),
    )


def _interfaces(subnet_lists: list[tuple[Subnet, ...]]) -> tuple[Interface, ...]:
    """Each on a network of its own, so that no address comes twice on one."""
    return tuple(
        Interface(
            port_id=f"port{number}",
            mac="fa:16:3e:00:00:01",
            network=Network(id=f"net{number}", subnets=subnets_),
        )
        for number, subnets_ in enumerate(subnet_lists)
    )


instances = st.builds(
    Instance,
    uuid=uuids,
    project_id=name,
    name=name,
    hostname=hostname,
    launch_index=st.integers(0, 10**12),
    availability_zone=st.none() | text,
    metadata=st.dictionaries(text.filter(bool), text, max_size=3),
    keypair=st.none() | st.builds(Keypair, name=text, public_key=st.none() | text),
    user_data=st.none() | user_data,
    flavor=st.none() | text,
    image_id=st.just("") | uuids,
    kernel_id=st.none() | uuids,
    ramdisk_id=st.none() | uuids,
    boot_roles=text,
    security_groups=few(text),
    interfaces=st.lists(st.lists(subnets(), max_size=1).map(tuple), max_size=2).map(_interfaces),
    block_devices=few(st.builds(BlockDevice, device_name=st.none() | text)),
    devices=few(
        st.builds(Nic, mac=mac, vlan=st.none() | st.integers(0, 4095), tags=st.none() | few(text))
        | st.builds(Disk, serial=st.none() | text, tags=few(text))
        | st.builds(Share, share_id=text, tag=text)
    ),
    dedicated_cpus=few(st.integers(0, 1000)),
    network_config=st.none() | text,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One store for all examples; each example empties it."""
    path: Path = tmp_path_factory.mktemp("roundtrip")
    opened = Store.open(f"sqlite:///{path}/store.sqlite")
    yield opened
    opened.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(instance=instances)
def test_a_store_gives_back_what_it_was_given(store: Store, instance: Instance) -> None:
    """Every field, and nothing more than ids and a reservation."""
    store.remove(*(one.uuid for one in store.list()))
    added = store.add(instance)
    assert msgspec.structs.replace(added, ec2_ids=None, reservation_id=None) == instance
    assert store.instance(instance.uuid) == added
    for interface in instance.interfaces:
        assert interface.network is not None
        for subnet in interface.network.subnets:
            for address in subnet.addresses:
                assert added in store.at_address(address.address)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(instance=instances, revision=st.integers(1, 10**9))
def test_a_document_gives_back_what_it_was_made_of(instance: Instance, revision: int) -> None:
    """What `show` prints, as YAML or JSON, is what `update` and `add` read."""
    for written, suffix in (
        (writing.to_yaml(instance, revision), "yaml"),
        (writing.to_json(instance, revision), "json"),
    ):
        [loaded] = files.read(written.encode(), f"shown.{suffix}")
        assert loaded.instance == instance
        assert loaded.revision == revision
