"""What callers and ``firstlight vendordata`` say to each other, over real HTTP."""

import http.client
from typing import Any

import pytest
import requests
import yaml

from support.providers.vendordata_service import BODY, Serve, Service


@pytest.fixture(scope="module")
def service(serve: Serve) -> Service:
    return serve("auth_strategy = noauth\nproviders = silent,echo,failing,slow", deadline=1)


def test_by_provider(service: Service) -> None:
    """Who fails, is late or has nothing to say costs only its own key, within the deadline."""
    answer = service.post("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "echo": {"hostname": "web-1", "boot_roles": ["member", "reader"]},
        "cloud-init": "#cloud-config\npackages:\n- jq\n",
    }
    assert answer.headers["Firstlight-Failed"] == "failing, slow"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.elapsed.total_seconds() < 2, "the slow provider was waited for"


def test_failures_are_named_in_the_log(service: Service) -> None:
    """Request id, instance id, provider, duration and reason, in one line each."""
    request = "req-01234567-89ab-cdef-0123-456789abcdef"
    answer = service.post("/", headers={"X-OpenStack-Request-Id": request})
    assert answer.headers["X-OpenStack-Request-Id"] == request
    lines = [line for line in service.log.read_text().splitlines() if f"[{request}]" in line]
    said = [line.partition("] ")[2].partition(f"[{request}] ")[2] for line in lines]
    assert said[0].startswith("instance i1: provider failing: failed in 0.")
    assert said[0].endswith("s: Asking the oracle failed.")
    assert said[1].startswith("instance i1: provider slow: failed in 1.")
    assert said[1].endswith("s: It had not answered by the deadline.")


def test_outcomes_are_counted(service: Service) -> None:
    """The status listener tells outcomes and seconds of each provider."""
    service.post("/")
    metrics = requests.get(f"{service.status}/metrics", timeout=10).text
    for provider, state in [
        ("echo", "ok"),
        ("silent", "empty"),
        ("failing", "failed"),
        ("slow", "failed"),
    ]:
        line = f'firstlight_provider_outcomes_total{{provider="{provider}",state="{state}"}}'
        assert line in metrics
    assert 'firstlight_provider_seconds_count{provider="echo"}' in metrics


def test_one_provider(service: Service) -> None:
    """Its bare object, and who may keep it; nothing is an empty object, failed is 503."""
    echo = service.post("/providers/echo")
    assert echo.json()["cloud-config"] == {"packages": ["jq"]}
    assert echo.headers["Cache-Control"] == "private, max-age=30"
    silent = service.post("/providers/silent")
    assert (silent.status_code, silent.json()) == (200, {})
    assert silent.headers["Cache-Control"] == "max-age=600"
    failing = service.post("/providers/failing")
    assert failing.status_code == 503
    assert failing.headers["Retry-After"] == "1"
    assert "Asking the oracle failed." in failing.json()["error"]["message"]


def test_cloud_init(service: Service) -> None:
    """A JSON string that is a cloud-config."""
    answer = service.post("/cloud-init").json()
    assert answer.startswith("#cloud-config\n")
    assert yaml.safe_load(answer) == {"packages": ["jq"]}


def test_healthcheck(service: Service) -> None:
    """It answers, and says no more than that."""
    answer = requests.get(f"{service.url}/healthcheck", timeout=10)
    assert (answer.status_code, answer.text) == (200, "OK")


@pytest.mark.parametrize(
    ("asked", "body", "status", "said"),
    [
        ("POST /", b"", 400, "empty"),
        ("POST /", b"{", 400, "not JSON"),
        ("POST /", b"[]", 400, "JSON object"),
        ("POST /", b'{"instance-id": "i"}', 400, "project-id"),
        ("POST /", b'{"project-id": "p"}', 400, "instance-id"),
        ("POST /cloud-init", b'{"project-id": 1, "instance-id": "i"}', 400, "project-id"),
        ("POST /providers/echo", b"null", 400, "JSON object"),
        ("POST /providers/nobody", b"{}", 404, "silent, echo, failing, slow"),
        ("POST /nowhere", b"{}", 404, "/providers/NAME"),
        ("GET /", b"", 405, "Allow"),
        ("PUT /cloud-init", b"{}", 405, "Allow"),
        ("POST /healthcheck", b"", 405, "Allow"),
        ("POST /", b"x" * (1 << 20) + b"x", 413, "too large"),
    ],
)
def test_refusals(service: Service, asked: str, body: bytes, status: int, said: str) -> None:
    """Each is answered with its status and a JSON body that says what to do instead."""
    method, path = asked.split()
    answer = service.session.request(method, service.url + path, data=body, timeout=10)
    assert answer.status_code == status
    if status == 405:
        assert "POST" in answer.headers["Allow"] or "GET" in answer.headers["Allow"]
    assert answer.headers["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert error["code"] == status
    assert said in error["message"]


def test_chunks(service: Service) -> None:
    """A body without a length is read as well."""
    chunks = (chunk for chunk in [b'{"project-id": "p", ', b'"instance-id": "i"}'])
    answer = service.session.post(f"{service.url}/providers/silent", data=chunks, timeout=10)
    assert (answer.status_code, answer.json()) == (200, {})


def test_callers_do_not_wait_for_each_other(service: Service) -> None:
    """While slow questions are under way, a quick one is answered."""
    host = service.url.removeprefix("http://")
    slow = [http.client.HTTPConnection(host, timeout=20) for _ in range(4)]
    body = '{"project-id": "p", "instance-id": "i"}'
    for connection in slow:
        connection.request("POST", "/providers/slow", body)
    assert service.post("/providers/echo").ok
    assert {connection.getresponse().status for connection in slow} == {503}
    for connection in slow:
        connection.close()


def test_it_ends_when_told(serve: Serve) -> None:
    """SIGTERM ends it with exit code 0, even if a provider never returns."""
    service = serve("auth_strategy = noauth\nproviders = hung,echo", deadline=1)
    assert service.post("/").json()["echo"]["hostname"] == "web-1"
    assert service.stop() == 0


def test_no_providers(serve: Serve) -> None:
    """Nothing enabled is nothing said."""
    service = serve("auth_strategy = noauth")
    assert service.post("/").json() == {}
    assert service.post("/cloud-init").json() == ""


FORGED: dict[str, Any] = {"X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-User-Id": "u"}


def test_keystone_away(serve: Serve) -> None:
    """Without Keystone a token is 503, no token is 401 however it is dressed up, health is 200."""
    service = serve(
        "auth_strategy = keystone\nproviders = echo",
        "[keystone_authtoken]\nauth_type = password\nauth_url = http://127.0.0.1:9/v3\n"
        "username = u\npassword = p\nproject_name = service\n"
        "user_domain_id = default\nproject_domain_id = default\n",
    )
    unknown = service.post("/", headers={"X-Auth-Token": "anything"})
    assert unknown.status_code == 503
    assert unknown.headers["Retry-After"] == "1"
    assert "Keystone" in unknown.json()["error"]["message"]
    nobody = service.post("/", headers=FORGED)
    assert nobody.status_code == 401
    assert "X-Auth-Token" in nobody.json()["error"]["message"]
    assert nobody.headers["WWW-Authenticate"].startswith("Keystone uri=")
    assert "X-OpenStack-Request-Id" in nobody.headers
    assert requests.get(f"{service.url}/healthcheck", timeout=10).status_code == 200


def test_identity_headers_mean_nothing_in_noauth(service: Service) -> None:
    """Without authentication a caller's identity headers neither help nor hurt."""
    assert service.post("/providers/echo", headers=FORGED | {"X-Identity-Status": "Invalid"}).ok


def test_bodies_are_what_nova_sends() -> None:
    """The sample body of these tests has only keys that Nova sends."""
    assert set(BODY) <= {"project-id", "instance-id", "hostname", "boot-roles"}
