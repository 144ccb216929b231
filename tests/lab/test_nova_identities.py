"""Who is asking, and who is sent away: real Nova and ours, beside each other in each mode.

The three modes of metadata-api §3: signed instance id, provider, remote address. The lists that
Neutron would give are the stand-in's (lab.neutron); Nova and ours get the same ones.

On MariaDB, because Nova looks a provider's server up by its id as bytes, and SQLite finds no bytes
among text: there Nova would answer 404 to all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from conformance.processes import running
from lab import golden
from lab.asking import Client, Reply, signature, signed
from lab.environment import NoLab, lab
from lab.kinds.kind import PROJECT, Kind, identifier, server
from lab.kinds.table import KINDS
from lab.neutron import port
from lab.nova import SECRET
from lab.recording import Lab, a_lab
from lab.settings import DEFAULT
from support.parts import absent
from support.servers.databases import mariadb  # noqa: F401  (a fixture)

DOCUMENT = "/openstack/latest/meta_data.json"
PASSWORD = "/openstack/latest/password"
ACCEPTS = (None, "*/*", "application/json")

ONE, TWO = KINDS["full"], KINDS["minimal"]
DELETED = Kind("deleted", server(90), told={"deleted": True})
# Passwords are written once, so each service is given servers of its own.
THEIRS, OURS = Kind("theirs", server(91)), Kind("ours", server(92))


def at(kind: Kind, network: int, *addresses: str) -> dict[str, object]:
    """A port of this server with these addresses, and no security group."""
    fields = {"network_id": identifier(network, 3), "addresses": addresses}
    return port(kind.instance["uuid"], PROJECT, (), **fields)


PORTS = [
    at(ONE, 1, "10.9.0.5"),
    at(ONE, 2, "10.9.0.6"),
    at(TWO, 3, "10.9.0.6"),
    at(ONE, 4, "127.0.0.2"),
    at(ONE, 5, "127.0.0.3"),
    at(TWO, 6, "127.0.0.3"),
    port("", PROJECT, (), network_id=identifier(7, 3), addresses=["127.0.0.4"]),
    port(DELETED.instance["uuid"], PROJECT, (), network_id="n", addresses=["127.0.0.5"]),
]
SUBNETS = [
    {"network_id": identifier(number, 3), "advanced_service_providers": ["edge"]}
    for number in (1, 2, 3)
]


@pytest.fixture(scope="module")
def real(mariadb) -> Iterator[Lab]:  # noqa: F811  (the fixture)
    """Real Nova's databases with these servers."""
    try:
        environment = lab()
    except NoLab as reason:
        absent(str(reason))
    kinds = (ONE, TWO, DELETED, THEIRS, OURS)
    urls = {"api_database": mariadb.database("api"), "database": mariadb.database("cell1")}
    mariadb.database("cell1_cell0")
    with a_lab(environment, kinds, ports=PORTS, subnets=SUBNETS, databases=urls) as found:
        yield found


class Both(NamedTuple):
    """The two services' ports."""

    novas: int
    ours: int


@contextmanager
def beside(real: Lab, home: Path, **neutron: str) -> Iterator[Both]:
    """Nova and ours from one nova.conf, with these options of ``[neutron]``."""
    with (
        real.serving(DEFAULT, **neutron) as novas,
        running("firstlight", home, home / "unused.sqlite", [real.nova_conf]) as ours,
    ):
        yield Both(novas, ours.port)


class Case(NamedTuple):
    """One request and the status Nova answers; `source` is the address it comes from."""

    status: int
    name: str
    headers: dict[str, str]
    path: str = DOCUMENT
    method: str = "GET"
    body: bytes | None = None
    source: str = "127.0.0.1"


def ask(service: int, case: Case, accept: str | None) -> Reply:
    """The service's reply, the seed marked."""
    headers = case.headers if accept is None else {**case.headers, "Accept": accept}
    with Client(service, case.source) as client:
        reply = client.ask(case.path, headers.items(), method=case.method, body=case.body)
    return replace(reply, body=golden.marked(reply.body))


def compare(both: Both, cases: list[Case]) -> dict[str, tuple[Reply, Reply]]:
    """Where the two differ, in each form of `Accept`: Nova's reply and ours."""
    found = {}
    for case in cases:
        for accept in ACCEPTS:
            theirs, mine = (ask(service, case, accept) for service in both)
            assert theirs.status == case.status, case
            if mine != theirs:
                found[f"{case.name}, Accept {accept}"] = (theirs, mine)
    return found


def by_id(uuid: str, secret: str = SECRET, **changes: str) -> dict[str, str]:
    """Headers of Neutron's agent."""
    return {**signed(uuid, PROJECT, secret, "192.0.2.77"), **changes}


def by_provider(
    address: str, provider: str = "edge", secret: str | None = SECRET
) -> dict[str, str]:
    """Headers of a load balancer; `secret` None: unsigned."""
    headers = {"X-Metadata-Provider": provider, "X-Forwarded-For": address}
    if secret is None:
        return headers
    return {**headers, "X-Metadata-Provider-Signature": signature(secret, provider)}


FULL = ONE.instance["uuid"]
SIGNED = [
    Case(200, "known", by_id(FULL)),
    Case(404, "deleted", by_id(DELETED.instance["uuid"])),
    Case(404, "empty id", by_id("")),
    Case(200, "upper-case id", by_id(FULL.upper())),
    Case(404, "no uuid", by_id("iid")),
    Case(404, "two ids", by_id(f"{FULL}, {FULL}")),
    Case(200, "empty provider", {**by_id(FULL), "X-Metadata-Provider": ""}),
    Case(400, "password as a form", by_id(FULL), PASSWORD, "PUT", b"x"),
    Case(400, "password too large", by_id(THEIRS.instance["uuid"]), PASSWORD, "POST", b"x" * 1021),
    Case(409, "password there already", by_id(FULL), PASSWORD, "POST", b"x" * 2000),
    Case(404, "password of a deleted one", by_id(DELETED.instance["uuid"]), PASSWORD, "POST", b"x"),
]
PROVIDER = [
    Case(200, "known", by_provider("10.9.0.5")),
    Case(200, "first of several addresses", by_provider("10.9.0.5, 10.0.0.1")),
    Case(400, "no address", {"X-Metadata-Provider": "edge"}),
    Case(403, "no signature", by_provider("10.9.0.5", secret=None)),
    Case(403, "wrong signature", by_provider("10.9.0.5", secret="other")),
    Case(400, "unknown provider", by_provider("10.9.0.5", "nobody")),
    Case(400, "nobody there", by_provider("10.9.0.9")),
    Case(400, "address of no shape", by_provider("over there")),
    Case(400, "two there", by_provider("10.9.0.6")),
    Case(
        400,
        "signed as well",
        by_provider("10.9.0.5") | by_id(FULL, **{"X-Forwarded-For": "10.9.0.9"}),
    ),
]
UNSIGNED = [
    Case(200, "provider without signature", by_provider("10.9.0.5", secret=None)),
    Case(200, "provider, wrong signature", by_provider("10.9.0.5", secret="other")),
    Case(200, "id, signed with nothing", by_id(FULL, secret="")),
    Case(403, "id, signed with something", by_id(FULL)),
]
ADDRESS = [
    Case(200, "known", {}, source="127.0.0.2"),
    Case(200, "headers of a proxy do not count", by_id(TWO.instance["uuid"]), source="127.0.0.2"),
    Case(200, "local-ipv4", {}, "/latest/meta-data/local-ipv4", source="127.0.0.2"),
    Case(404, "nobody", {}),
    Case(404, "a port of no server", {}, source="127.0.0.4"),
    Case(404, "a deleted server", {}, source="127.0.0.5"),
    Case(500, "two servers", {}, source="127.0.0.3"),
    Case(200, "version list", {}, "/"),
]


def test_signed_instance_ids(real, tmp_path):
    """Known, unknown, deleted and malformed ids, and refused passwords."""
    with beside(real, tmp_path) as both:
        assert compare(both, SIGNED) == {}


def test_passwords_are_taken_alike(real, tmp_path):
    """An empty one counts as none, and the longest is taken."""
    conversation = [("POST", b""), ("GET", None), ("POST", b"x" * 1020)]
    with beside(real, tmp_path) as both:
        for method, body in conversation:
            theirs, mine = (
                ask(
                    service,
                    Case(200, "", by_id(kind.instance["uuid"]), PASSWORD, method, body),
                    None,
                )
                for service, kind in ((both.novas, THEIRS), (both.ours, OURS))
            )
            assert mine == theirs == Reply(200, "text/html; charset=UTF-8"), (method, body)


def test_providers(real, tmp_path):
    """A load balancer that is known, unknown, unsigned, and sees one, none or two."""
    with beside(real, tmp_path) as both:
        assert compare(both, PROVIDER) == {}


def test_an_empty_secret(real, tmp_path):
    """Signed ids are checked with the empty key, providers not at all."""
    with beside(real, tmp_path, metadata_proxy_shared_secret="") as both:
        assert compare(both, UNSIGNED) == {}


def test_remote_addresses(real, tmp_path):
    """One server at an address, none, two, a deleted one."""
    with beside(real, tmp_path, service_metadata_proxy="false") as both:
        assert compare(both, ADDRESS) == {}
