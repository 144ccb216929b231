"""What guests, both chains and their services stand on: real Neutron, and Nova's databases.

Neutron is its API under uWSGI, its RPC server and RabbitMQ; the databases are on MariaDB.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.nova_setting import kind
from bench.setting import PROJECT
from lab.environment import lab
from lab.keystone import Keystone
from lab.neutron_rpc import NeutronRpc
from lab.nova import Nova
from lab.on_mariadb import empty_databases
from lab.real_neutron import RealNeutron
from support.servers.daemons import a_rabbitmq
from support.servers.databases import a_mariadb, free_port

_CIDR = "10.0.0.0/16"
_AT_A_TIME = 10  # resources that one call of Neutron's API makes


class Guest(NamedTuple):
    """A server with a port: where it is, and who."""

    network: str
    address: str
    uuid: str


class Cloud(NamedTuple):
    """`processes` are those that both chains ask, by what they are."""

    environment: Path
    directory: Path
    nova: Nova
    transport_url: str
    networks: Sequence[str]
    guests: Sequence[Guest]
    processes: Mapping[str, Sequence[int]]


@contextmanager
def a_cloud(directory: Path, networks: int, where: Sequence[int]) -> Iterator[Cloud]:
    """So many networks, and for each of `where` a server on the network of that number.

    Raises:
        NoLab: there is no environment with real Nova and Neutron.
    """
    environment = lab()
    port = free_port()
    with ExitStack() as stack:
        mariadb = stack.enter_context(a_mariadb())
        nova = Nova(
            environment,
            _made(directory / "nova"),
            neutron=f"http://127.0.0.1:{port}",
            databases=empty_databases(mariadb, "nova"),
        )
        kinds = [kind(number) for number in range(1, len(where) + 1)]
        aside = stack.enter_context(ThreadPoolExecutor(1))
        made = aside.submit(nova.make_instances, kinds)

        rabbit = stack.enter_context(a_rabbitmq())
        keystone = Keystone(environment, _made(directory / "keystone"), free_port())
        stack.callback(keystone.stop)
        keystone.create()
        url = f"rabbit://guest:guest@127.0.0.1:{rabbit.port}/"
        neutron = RealNeutron(
            environment,
            _made(directory / "neutron"),
            port,
            keystone,
            {"transport_url": url, "rpc_workers": "1", "rpc_response_timeout": "60"},
            database=mariadb.database("neutron"),
        )
        stack.callback(neutron.stop)
        neutron.create()
        rpc = NeutronRpc(environment, directory / "neutron")
        stack.callback(rpc.stop)
        rpc.start()
        ids = _networks(neutron, networks)
        guests = [
            Guest(ids[number], _address(each.instance), each.instance["uuid"])
            for number, each in zip(where, kinds, strict=True)
        ]
        _ports(neutron, guests)
        made.result()
        credentials = keystone.credentials("nova", "service")
        nova.configure({"metadata_cache_expiration": "3600"}, **credentials)
        processes = {
            "Neutron": (neutron.pid, rpc.pid, rabbit.pid, keystone.pid),
            "database": (mariadb.pid,),
        }
        yield Cloud(environment, directory, nova, url, ids, guests, processes)


def _networks(neutron: RealNeutron, number: int) -> Sequence[str]:
    made = _make_many(neutron, "network", [{"name": f"bench {each}"} for each in range(number)])
    subnets = [
        {"network_id": each, "cidr": _CIDR, "ip_version": 4, "gateway_ip": None} for each in made
    ]
    _make_many(neutron, "subnet", subnets)
    return made


def _ports(neutron: RealNeutron, guests: Sequence[Guest]) -> None:
    ports = [
        {
            "network_id": guest.network,
            "project_id": PROJECT,
            "device_id": guest.uuid,
            "device_owner": "compute:nova",
            "fixed_ips": [{"ip_address": guest.address}],
        }
        for guest in guests
    ]
    _make_many(neutron, "port", ports)


def _make_many(
    neutron: RealNeutron, what: str, fields: Sequence[Mapping[str, object]]
) -> list[str]:
    return [
        made["id"]
        for first in range(0, len(fields), _AT_A_TIME)
        for made in neutron.make_many(what, [dict(each) for each in fields[first:][:_AT_A_TIME]])
    ]


def _address(instance: Mapping[str, Any]) -> str:
    [interface] = instance["interfaces"]
    return interface["network"]["subnets"][0]["addresses"][0]["address"]


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory
