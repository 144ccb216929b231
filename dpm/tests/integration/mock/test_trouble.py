"""Sessions, certificates, outages and what is no request, at the served HMC."""

import json
import socket
import ssl
import threading

import pytest
import requests
import zhmcclient

from served_hmc import refusal


def test_the_certificate_is_verified(someone):
    """Who does not know the mock's authority does not log on; who does, does."""
    known = someone("z13")
    stranger = zhmcclient.Session(
        known.served.host, "openstack", "openstack", port=known.served.port
    )
    with pytest.raises(zhmcclient.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.logon()
    assert known.client.version_info() == (1, 8)


@pytest.mark.parametrize(("user", "password"), [("openstack", "no"), ("no", "openstack"), ("", "")])
def test_strangers_are_refused(user, password, someone):
    """HTTP 403, reason 0, which zhmcclient takes for wrong credentials."""
    served = someone("z13").served
    stranger = zhmcclient.Session(
        served.host, user, password, port=served.port, verify_cert=str(served.ca_file)
    )
    with pytest.raises(zhmcclient.ServerAuthError):
        stranger.logon()


def test_an_expired_session_is_renewed(someone):
    """zhmcclient logs on again by itself, as with a real HMC after a while."""
    known = someone("z13")
    before = known.session.session_id
    delete(known, "/mock/sessions")
    known.cpc.pull_full_properties()
    assert known.session.session_id != before


def test_without_a_session_only_the_version_is_told(someone):
    """HTTP 403, reason 4 without a session's id, 5 with one that is not known."""
    served = someone("z13").served
    url = f"https://{served.host}:{served.port}"
    ask = {"verify": str(served.ca_file), "timeout": 30}
    assert requests.get(f"{url}/api/version", **ask).json()["api-major-version"] == 1
    for headers, reason in (({}, 4), ({"X-API-Session": "x"}, 5)):
        answer = requests.get(f"{url}/api/cpcs", headers=headers, **ask)
        assert (answer.status_code, answer.json()["reason"]) == (403, reason)


def test_logging_off_ends_the_session(someone):
    """Its id is worth nothing afterwards."""
    known = someone("z13")
    session = known.session.session_id
    known.session.logoff()
    url = f"https://{known.served.host}:{known.served.port}/api/cpcs"
    answer = requests.get(
        url, headers={"X-API-Session": session}, verify=str(known.served.ca_file), timeout=30
    )
    assert answer.json()["reason"] == 5


def test_an_outage(someone):
    """Connections end without an answer until the fault is taken away; nothing has changed."""
    known = someone("z16")
    partition = known.partition()
    inject(known, drop=True)
    with pytest.raises(zhmcclient.ConnectionError):
        partition.pull_full_properties()
    delete(known, "/mock/faults")
    partition.pull_full_properties()
    assert partition.get_property("status") == "stopped"


def test_one_request_fails(someone):
    """The second NIC, and no other."""
    known = someone("z16")
    partition = known.partition()
    inject(known, method="POST", uri=".*/nics", skip=1, times=1, status=500, reason=42)
    made = [{"name": name, **known.backing()} for name in "abc"]
    partition.nics.create(made[0])
    assert refusal(partition.nics.create, made[1]) == (500, 42)
    partition.nics.create(made[2])


def test_a_slow_answer(someone):
    """A client that waits less gives up."""
    known = someone("z13")
    inject(known, uri="/api/version", delay=60)
    known.session.retry_timeout_config.read_timeout = 0.2
    with pytest.raises(zhmcclient.ConnectionError, match="timed out"):
        known.client.version_info()


def test_a_job_that_fails(someone):
    """Starting begins well and ends badly."""
    known = someone("z13")
    partition = known.partition()
    inject(known, uri=".*/operations/start", job=True, status=500, reason=263, message="broken")
    with pytest.raises(zhmcclient.HTTPError, match="broken"):
        partition.start()


def test_a_fault_that_is_none_is_refused(someone):
    """When it is injected."""
    known = someone("z13")
    assert refusal(inject, known, uri="(") == (400, 7)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "uri is missing"),
        ({"uri": 1, "properties": {}}, "uri is missing"),
        ({"uri": "/api/cpcs"}, "properties is missing"),
    ],
)
def test_what_sets_nothing_is_refused(body, said, someone):
    """HTTP 400 with the field's name; 404 is for a resource that is not there."""
    known = someone("z13")
    with pytest.raises(zhmcclient.HTTPError, match=said) as caught:
        known.session.post("/mock/properties", body=body)
    assert (caught.value.http_status, caught.value.reason) == (400, 5)
    other = {"uri": "/api/cpcs/none", "properties": {}}
    assert refusal(known.session.post, "/mock/properties", body=other) == (404, 1)


def test_several_processes_would_see_the_same(someone):
    """What one session makes, another finds, at the same moment and from many threads."""
    known = someone("z13")
    made = []

    def make(number: int) -> None:
        own = type(known)(known.served)
        made.append(own.partition(f"p{number}").uri)
        own.session.logoff()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.uri for one in known.cpc.partitions.list()) == sorted(made)


def test_everything_there_is_can_be_looked_at(someone):
    """By URI, for tests that must leave nothing behind; and what was asked."""
    known = someone("z13")
    partition = known.partition()
    assert look(known, "/mock/resources")[partition.uri]["name"] == "p"
    assert ["POST", f"{known.cpc.uri}/partitions"] in look(known, "/mock/requests")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /api/sessions HTTP/1.1\r\nContent-Length: 3\r\n\r\nnot", 400),
        (b"POST /api/sessions HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", 400),
        (b"POST /api/sessions HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /api/sessions HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 413),
        (b"GET /elsewhere HTTP/1.1\r\n\r\n", 403),
        (b"GET /mock/elsewhere HTTP/1.1\r\n\r\n", 404),
        (b"PUT /api/cpcs HTTP/1.1\r\n\r\n", 501),
    ],
)
def test_what_is_no_request(sent, status, someone):
    """Is answered as such, and the mock lives on."""
    known = someone("z13")
    context = ssl.create_default_context(cafile=str(known.served.ca_file))
    with (
        socket.create_connection((known.served.host, known.served.port), 30) as plain,
        context.wrap_socket(plain, server_hostname=known.served.host) as connection,
    ):
        connection.sendall(sent)
        assert connection.recv(65536).split()[1] == str(status).encode()
    known.cpc.pull_full_properties()


def test_a_client_without_tls_does_no_harm(someone):
    """Its connection ends."""
    known = someone("z13")
    with socket.create_connection((known.served.host, known.served.port), 30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection.settimeout(30)
        assert not connection.recv(65536).startswith(b"HTTP")
    known.cpc.pull_full_properties()


def inject(known, **fault) -> None:
    known.session.post("/mock/faults", body=fault)


def delete(known, uri: str) -> None:
    known.session.delete(uri)


def look(known, uri: str):
    return json.loads(json.dumps(known.session.get(uri)))
