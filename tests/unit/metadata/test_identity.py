"""Whose request is it? The checks of metadata-api §3 in their order."""

import pytest

from firstlight.httpd.protocol.messages import Request
from firstlight.metadata.http_errors import HttpError
from firstlight.metadata.identity import (
    By,
    claim_by_address,
    claim_by_id,
    claim_by_provider,
    sign,
)

IID = "9de0bd34-8a9d-4a71-9f8e-5fb4d7c1a6b2"


def ask(peer: str = "192.0.2.1", **headers: str) -> Request:
    return Request(
        "GET",
        "/openstack",
        {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()},
        peer=peer,
    )


@pytest.mark.parametrize(
    ("secret", "message", "expected"),
    [
        ("s3", "iid", "5c67dfa438e35e10817660f6c88cb3c94e7f780da8964b52e6c82741f59f61a1"),
        ("", "iid", "1f8d50cef032bb4df162736701e02137c3bd5afdabc46e851bbaee59d0d6f318"),
        ("s3", "edge", "c54732abf5278eea763afc873e8a0522f8f568f508f810047ef07562e6d78572"),
        ("s3cret", "inst-1", "0423ac5ab426fe85654f33cf6ebc38df4ce8ffe5bf842017ce9f21a5bd299eae"),
        ("", "inst-1", "57804cc1e9d6979bf94fe74fbd39582dee24575069b6d5ef9a3c2066f2fc6a26"),
    ],
)
def test_signatures_are_the_test_vectors(secret, message, expected):
    """The vectors of metadata-api §3.2 and metadata-proxy §4.5."""
    assert sign(secret, message) == expected.encode()


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, "X-Instance-ID header is missing from request."),
        (
            {"x_instance_id": IID},
            "X-Instance-ID-Signature header is missing from request.",
        ),
        (
            {"x_instance_id": IID, "x_instance_id_signature": "0" * 64},
            "X-Tenant-ID header is missing from request.",
        ),
    ],
)
def test_a_missing_header_is_named_in_order(headers, sentence):
    """400, first missing first, before the signature is looked at."""
    with pytest.raises(HttpError) as refused:
        claim_by_id(ask(**headers), ["s3"])
    assert (refused.value.status, refused.value.sentence) == (400, sentence)


@pytest.mark.parametrize(
    "signature",
    ["", "0" * 64, sign("s3", IID).decode().upper(), sign("other", IID).decode(), "\u00e9" * 64],
)
def test_a_wrong_signature_is_refused(signature):
    """403 for empty, wrong, upper-case, another secret's and non-ASCII."""
    headers = {"x_instance_id": IID, "x_instance_id_signature": signature, "x_tenant_id": "p"}
    with pytest.raises(HttpError) as refused:
        claim_by_id(ask(**headers), ["s3"])
    assert refused.value.status == 403
    assert refused.value.sentence == "Invalid proxy request signature."


@pytest.mark.parametrize("secret", ["new", "old", ""])
def test_every_current_secret_signs(secret):
    """Rotation: new and old both count, and an empty secret is a secret."""
    signature = sign(secret, IID).decode()
    headers = {"x_instance_id": IID, "x_instance_id_signature": signature, "x_tenant_id": "p"}
    claim = claim_by_id(ask(**headers, x_forwarded_for="10.0.0.5"), ["new", "old", ""])
    assert (claim.by, claim.key, claim.project, claim.requester) == (By.ID, IID, "p", "10.0.0.5")


def test_a_provider_needs_the_client_address_first():
    """400 without X-Forwarded-For, before the signature is looked at."""
    with pytest.raises(HttpError) as refused:
        claim_by_provider(ask(x_metadata_provider="edge"), ["s3"])
    assert refused.value.sentence == "X-Forwarded-For is missing from request."


def test_a_provider_signs_its_own_id():
    """The address is what stands before the first comma, and is not signed."""
    claim = claim_by_provider(
        ask(
            x_metadata_provider="edge",
            x_forwarded_for="10.0.0.5, 192.0.2.9",
            x_metadata_provider_signature=sign("s3", "edge").decode(),
        ),
        ["s3"],
    )
    assert claim.key == "edge\n10.0.0.5"


def test_without_a_secret_a_provider_is_believed():
    """Nova's rule for providers, unlike for instance ids."""
    claim_by_provider(ask(x_metadata_provider="edge", x_forwarded_for="10.0.0.5"), [""])
    with pytest.raises(HttpError) as refused:
        claim_by_provider(ask(x_metadata_provider="edge", x_forwarded_for="10.0.0.5"), ["s3"])
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("behind_proxy", "headers", "address"),
    [
        (False, {"x_forwarded_for": "10.0.0.5"}, "192.0.2.1"),
        (True, {"x_forwarded_for": "10.0.0.5"}, "10.0.0.5"),
        (True, {"x_forwarded_for": "1.2.3.4, 5.6.7.8"}, "1.2.3.4, 5.6.7.8"),
        (True, {"forwarded": "for=10.0.0.6;proto=http, for=10.0.0.7"}, "10.0.0.6"),
        (True, {"forwarded": 'for="[2001:db8::5]:4711"'}, "2001:db8::5"),
        (True, {}, "192.0.2.1"),
    ],
)
def test_the_address_is_the_peer_unless_a_proxy_is_trusted(behind_proxy, headers, address):
    """X-Forwarded-For counts only where the operator says so, and then whole."""
    assert claim_by_address(ask(**headers), behind_proxy=behind_proxy).key == address


def test_a_mapped_address_is_its_ipv4():
    """A dual-stack listener shows IPv4 clients as ::ffff:a.b.c.d."""
    assert claim_by_address(ask("::ffff:10.0.0.5"), behind_proxy=False).key == "10.0.0.5"


def test_no_address_is_an_error():
    """A unix socket has no client address: 500, as Nova says."""
    with pytest.raises(HttpError) as refused:
        claim_by_address(ask(""), behind_proxy=False)
    assert refused.value.status == 500
