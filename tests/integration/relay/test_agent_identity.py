"""Who asks: one port is answered and signed for, and no forged header makes it another."""

import hashlib
import hmac

import pytest

from firstlight.relay.contract import Ambiguous, Found, Nobody, Origin, Unavailable, Via
from support.relay.agent_thread import (
    ADDRESS,
    FOUND,
    INSTANCE,
    NETWORK,
    PROJECT,
    ROUTER,
    SECRET,
    Known,
    an_agent,
    ask,
    guest,
    plain,
    responding,
    sent_to,
)


def test_signed_and_passed_on():
    """The upstream gets Nova's four headers, the request's id, a hint of the client, no more."""
    with responding(plain(body=b"2012-08-10\n")) as upstream, an_agent(upstream.port) as agent:
        answer = ask(agent, "User-Agent: Cloud-Init/25.1", "Accept: text/html", "X-Other: 1")
        first, headers, _ = sent_to(upstream)
    assert (answer.status, answer.body) == (200, b"2012-08-10\n")
    assert first == "GET /openstack HTTP/1.1"
    assert headers == {
        "host": f"127.0.0.1:{upstream.port}",
        "x-instance-id": INSTANCE,
        "x-tenant-id": PROJECT,
        "x-instance-id-signature": hmac.digest(
            SECRET.encode(), INSTANCE.encode(), hashlib.sha256
        ).hex(),
        "x-forwarded-for": ADDRESS,
        "x-openstack-request-id": answer.headers["X-OpenStack-Request-Id"],
        "user-agent": "Cloud-Init/25.1",
    }


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        ("s3cret", "0423ac5ab426fe85654f33cf6ebc38df4ce8ffe5bf842017ce9f21a5bd299eae"),
        ("", "57804cc1e9d6979bf94fe74fbd39582dee24575069b6d5ef9a3c2066f2fc6a26"),
    ],
)
def test_signature(secret, signature):
    """It is what Neutron's agent makes of the same secret and instance id."""
    from firstlight.relay.agent.handler import _identity

    found = Found("inst-1", "p", "port", "fa:16:3e:00:00:01")
    assert f"X-Instance-ID-Signature: {signature}\r\n" in _identity(found, secret)


FORGED = [
    (f"X-Neutron-Router-ID: {ROUTER}", 400),
    (f"X-Neutron-Network-ID: {ROUTER}", 400),
    (f"X-OVN-Network-ID: {ROUTER}", 400),
    ("X-Forwarded-For: 192.0.2.99", 200),
    ("X-Forwarded-For: no address at all", 200),
    ("X-Instance-ID: forged", 200),
    ("X-Instance-ID-Signature: forged", 200),
    ("X-Tenant-ID: forged", 200),
    ("X-Metadata-Provider: forged", 200),
    ("X-Metadata-Provider-Signature: forged", 200),
    ("Firstlight-Stale: forged", 200),
    ("X-OpenStack-Request-Id: req-00000000-0000-0000-0000-000000000000", 200),
    ("Forwarded: for=192.0.2.99", 200),
    ("X-aws-ec2-metadata-token: forged", 200),
]


@pytest.mark.parametrize(("line", "status"), FORGED, ids=[line for line, _ in FORGED])
def test_forged(line, status):
    """What a guest adds through a stock proxy is refused or harmless; its answer is its own."""
    with responding(plain()) as upstream, an_agent(upstream.port) as agent:
        assert ask(agent, line).status == status
        if status == 200:
            _, headers, _ = sent_to(upstream)
            assert headers["x-instance-id"] == INSTANCE
            assert headers["x-forwarded-for"] == ADDRESS
            assert "forged" not in str(headers.values())
            assert "00000000-0000-0000" not in headers["x-openstack-request-id"]
        else:
            assert upstream.requests == []


def test_where_we_are_the_proxy():
    """On a listener of a place every id and address header is only the guest's."""
    place = Origin(Via.ROUTER, ROUTER)
    known = Known({guest("127.0.0.1", Via.ROUTER, ROUTER): FOUND})
    with (
        responding(plain()) as upstream,
        an_agent(upstream.port, recognition=known, place=place) as agent,
    ):
        for line in [f"{via.value}: {NETWORK}" for via in Via]:
            assert ask(agent, line).status == 200
        assert sent_to(upstream)[1]["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize(
    ("resolution", "status"),
    [(FOUND, 200), (Nobody(), 404), (Ambiguous(("a", "b")), 404), (Unavailable("away"), 503)],
    ids=["found", "nobody", "ambiguous", "unavailable"],
)
def test_four_answers(resolution, status, later, caplog):
    """One port is answered; none and several are 404, the log names them; not asked is 503."""
    known = Known({guest(): resolution}, later=later)
    with responding(plain()) as upstream, an_agent(upstream.port, recognition=known) as agent:
        answer = ask(agent)
    assert answer.status == status
    assert (answer.headers.get("Retry-After") is not None) == (status == 503)
    if isinstance(resolution, Ambiguous):
        assert "a, b" in caplog.text
        assert b"a, b" not in answer.body
    if isinstance(resolution, Unavailable):
        assert "away" in caplog.text


@pytest.mark.parametrize("instance_id", ["", "a b", "a\r\nX-Tenant-ID: x", "é", "x" * 300])
def test_device_id_that_is_no_instance(instance_id):
    """A port's device id is its maker's to write; what is no word is not signed."""
    known = Known({guest(): Found(instance_id, PROJECT, "port", "fa:16:3e:00:00:01")})
    with responding(plain()) as upstream, an_agent(upstream.port, recognition=known) as agent:
        assert ask(agent).status == 404
        assert upstream.requests == []
