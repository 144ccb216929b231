"""``firstlight.vendordata.wsgi:application`` under somebody else's WSGI server."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from support.providers.vendordata_service import BODY

# wsgiref, the standard library's: it knows nothing of ours, and checks what PEP 3333 asks for.
_SERVER = """\
from wsgiref.simple_server import make_server
from wsgiref.validate import validator
from firstlight.vendordata.wsgi import application
server = make_server("127.0.0.1", 0, validator(application))
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("wsgi")
    rules, conf = directory / "map.yaml", directory / "vendordata.conf"
    rules.write_text("- data: {site: here}\n")
    conf.write_text(
        "[DEFAULT]\nauth_strategy = noauth\nproviders = static_map\n"
        f"[provider:static_map]\nfile = {rules}\n"
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            env=os.environ | {"FIRSTLIGHT_CONFIG_FILES": str(conf)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.terminate()
    process.wait(10)
    process.stdout.close()


def test_it_answers(url: str) -> None:
    """The same answers as on our own server, with a request id of the application's own."""
    answer = requests.post(url, json=BODY, timeout=10)
    assert answer.json() == {"static_map": {"site": "here"}}
    assert answer.headers["X-OpenStack-Request-Id"].startswith("req-")


def test_the_callers_request_id_comes_back(url: str) -> None:
    """If it is well-formed; anything else is replaced."""
    good = "req-01234567-89ab-cdef-0123-456789abcdef"
    for sent in (good, "req-nonsense"):
        headers = {"X-OpenStack-Request-Id": sent}
        answer = requests.post(url, json=BODY, headers=headers, timeout=10)
        assert (answer.headers["X-OpenStack-Request-Id"] == sent) is (sent == good)


def test_a_body_that_is_too_long(url: str) -> None:
    """413, as JSON: the bound holds without our own server's."""
    answer = requests.post(url, data=b"x" * (1 << 20) + b"x", timeout=10)
    assert answer.status_code == 413
    assert "1048576" in answer.json()["error"]["message"]


def test_healthcheck(url: str) -> None:
    """200 for load balancers."""
    assert requests.get(f"{url}/healthcheck", timeout=10).text == "OK"
