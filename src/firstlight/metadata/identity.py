"""Who is asking? Which headers count, in Nova's order and words (metadata-api §3)."""

import hashlib
import hmac
import logging
from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.httpd.protocol.messages import Request
from firstlight.metadata.http_errors import HttpError

LOG = ThrottledLog(logging.getLogger(__name__))  # guests cause what is said


class By(Enum):
    """How an instance is found."""

    ID = "instance id"  # a metadata proxy named it and signed
    PROVIDER = "provider"  # a load balancer named itself and the client's address
    ADDRESS = "address"  # the client's own address


class Claim(Struct, frozen=True):
    """Whom a request says it comes from, with its signature checked."""

    by: By
    key: str  # instance id, or provider and address, or address
    project: str | None  # what the instance's project must be; None: not claimed
    requester: str | None  # the guest's address, for `local-ipv4`


def sign(secret: str, message: str) -> bytes:
    """Lower-case hex HMAC-SHA256 of `message` under `secret`, both in UTF-8 (metadata-api §3.2)."""
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest().encode()


def signed_by(expected: Sequence[bytes], signature: bytes) -> bool:
    """Whether `signature` is one of `expected`; takes as long for any wrong one."""
    if len(expected) == 1:
        return hmac.compare_digest(signature, expected[0])
    matches = [hmac.compare_digest(signature, right) for right in expected]  # all, always
    return any(matches)


def claim_by_id(request: Request, secrets: Sequence[str]) -> Claim:
    """§3.2: the three headers, checked in their order.

    Raises:
        HttpError: 400 for a missing header, 403 for a wrong signature.
    """
    headers = request.headers
    for name, spelling in (
        (b"x-instance-id", "X-Instance-ID"),
        (b"x-instance-id-signature", "X-Instance-ID-Signature"),
        (b"x-tenant-id", "X-Tenant-ID"),
    ):
        if name not in headers:
            raise HttpError(400, f"{spelling} header is missing from request.")
    instance_id = headers[b"x-instance-id"].decode("latin-1")
    requester = request.header(b"x-forwarded-for")
    _check(instance_id, headers[b"x-instance-id-signature"], secrets, requester)
    project = headers[b"x-tenant-id"].decode("latin-1")
    return Claim(By.ID, instance_id, project, requester)


def claim_by_provider(request: Request, secrets: Sequence[str]) -> Claim:
    """§3.3: a load balancer's id and the client's address; signed only if there is a secret.

    Raises:
        HttpError: 400 without ``X-Forwarded-For``, 403 for a missing or wrong signature.
    """
    forwarded = request.header(b"x-forwarded-for")
    if forwarded is None:
        raise HttpError(400, "X-Forwarded-For is missing from request.")
    provider = request.header(b"x-metadata-provider") or ""
    address = forwarded.split(",")[0]
    if any(secrets):
        signature = request.headers.get(b"x-metadata-provider-signature", b"")
        _check(provider, signature, secrets, address)
    return Claim(By.PROVIDER, f"{provider}\n{address}", None, address)


def claim_by_address(request: Request, *, behind_proxy: bool) -> Claim:
    """§3.4: the address the request comes from, or the one a trusted proxy in front names.

    Raises:
        HttpError: 500 if there is no address (a unix socket without a proxy).
    """
    if b"x-instance-id" in request.headers:
        LOG.warning(
            "%s sends X-Instance-ID, which is ignored: [neutron] service_metadata_proxy is false",
            request.peer,
        )
    address = (_from_proxy(request) if behind_proxy else None) or request.peer
    address = address.removeprefix("::ffff:") if "." in address else address
    if not address:
        raise HttpError(500, "An unknown error has occurred. Please try your request again.")
    return Claim(By.ADDRESS, address, None, address)


def _check(message: str, signature: bytes, secrets: Sequence[str], requester: str | None) -> None:
    if not signature or not signed_by([sign(secret, message) for secret in secrets], signature):
        # Neither the signature nor the expected one is logged: both are as good as the secret.
        LOG.warning("signature does not match for %s, asked from %s", message, requester)
        raise HttpError(403, "Invalid proxy request signature.")


def _from_proxy(request: Request) -> str | None:
    """oslo.middleware's rule: RFC 7239's ``Forwarded: for=`` first, else X-Forwarded-For whole."""
    forwarded = request.header(b"forwarded")
    if forwarded is not None:
        first = forwarded.split(",")[0]
        for pair in first.split(";"):
            name, _, value = pair.strip().partition("=")
            if name.lower() == "for":
                return _without_port(value.strip('"'))
    return request.header(b"x-forwarded-for")


def _without_port(node: str) -> str:
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node
