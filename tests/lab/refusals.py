"""Requests that the metadata service refuses, and how they are asked (metadata-api §2 and §3.2)."""

from collections.abc import Iterator
from typing import NamedTuple

from lab.asking import Client, Reply, signature, signed
from lab.kinds.kind import Kind
from lab.nova import SECRET

STRANGER = "ffffffff-0000-4000-8000-000000000000"
ACCEPTS = (None, "", "text/plain", "*/*", "text/html", "application/json", "image/png")


class Request(NamedTuple):
    """`changes` replace headers of a good request; None takes one away."""

    name: str
    changes: dict[str, str | None]
    path: str = "/openstack/latest/meta_data.json"
    method: str = "GET"
    body: bytes | None = None


def requests(kind: Kind) -> Iterator[Request]:
    """Every refusal in every form of `Accept`, and what methods do."""
    uuid = kind.instance["uuid"]
    right = signature(SECRET, uuid)
    cases: list[tuple[str, dict[str, str | None], str]] = [
        ("no instance id", {"X-Instance-ID": None}, ""),
        ("no signature", {"X-Instance-ID-Signature": None}, ""),
        ("no tenant", {"X-Tenant-ID": None}, ""),
        ("nothing", dict.fromkeys(("X-Instance-ID", "X-Instance-ID-Signature", "X-Tenant-ID")), ""),
        ("empty signature", {"X-Instance-ID-Signature": ""}, ""),
        ("wrong signature", {"X-Instance-ID-Signature": "0" * 64}, ""),
        ("upper-case signature", {"X-Instance-ID-Signature": right.upper()}, ""),
        ("another secret's", {"X-Instance-ID-Signature": signature("other", uuid)}, ""),
        ("wrong tenant", {"X-Tenant-ID": "0" * 32}, ""),
        ("empty tenant", {"X-Tenant-ID": ""}, ""),
        (
            "unknown instance",
            {
                "X-Instance-ID": STRANGER,
                "X-Instance-ID-Signature": signature(SECRET, STRANGER),
            },
            "",
        ),
        ("unknown path", {}, "/openstack/latest/nothing"),
        ("unknown version", {}, "/openstack/2024-01-01"),
        ("version list needs nobody", {"X-Instance-ID": None}, "/"),
    ]
    for name, changes, path in cases:
        for accept in ACCEPTS:
            yield Request(
                f"{name}, Accept {accept!r}",
                {**changes, "Accept": accept},
                path or "/openstack/latest/meta_data.json",
            )
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        yield Request(f"{method} acts like GET", {}, "/latest/meta-data/hostname", method, b"x")
        yield Request(f"{method} of nothing", {}, "/latest/nothing", method, b"x")
        if method != "POST":
            yield Request(f"{method} password", {}, "/openstack/latest/password", method, b"x")
    yield Request("password, too large", {}, "/openstack/latest/password", "POST", b"x" * 1021)
    yield Request("password before Grizzly", {}, "/openstack/2012-08-10/password", "POST", b"x")


def ask_refusals(port: int, kind: Kind) -> dict[str, Reply]:
    """Name → what the service on `port` said."""
    with Client(port) as client:
        return {request.name: _ask(client, kind, request) for request in requests(kind)}


def _ask(client: Client, kind: Kind, request: Request) -> Reply:
    ours = kind.instance
    headers = signed(ours["uuid"], ours["project_id"], SECRET, kind.requester) | request.changes
    sent = [(name, value) for name, value in headers.items() if value is not None]
    return client.ask(request.path, sent, method=request.method, body=request.body)
