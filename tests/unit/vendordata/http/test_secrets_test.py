"""``GET /test``: what anybody may ask, and how little that costs."""

import threading

import falcon
import pytest
from falcon.testing import TestClient

from firstlight.conf import ConfigError
from firstlight.vendordata.contract import ProviderFailed
from firstlight.vendordata.http.secrets_test import SecretsTest


class Vault:
    """Counts how often it was read."""

    def __init__(self) -> None:
        self.reads = 0
        self.trouble: Exception | None = None

    def read(self) -> None:
        self.reads += 1
        if self.trouble:
            raise self.trouble


def client(probe: SecretsTest) -> TestClient:
    app = falcon.App()
    app.add_route("/test", probe)
    return TestClient(app)


@pytest.mark.parametrize("trouble", [None, ProviderFailed("No Vault."), ConfigError("[vault] url")])
def test_what_is_said(trouble: Exception | None) -> None:
    """200 with OK, or 500 with Error; why is for the log alone."""
    vault = Vault()
    vault.trouble = trouble
    answer = client(SecretsTest(vault.read)).simulate_get("/test")
    if trouble is None:
        assert (answer.status_code, answer.json) == (200, {"OK": "Success"})
    else:
        assert (answer.status_code, list(answer.json)) == (500, ["Error"])
        assert str(trouble) not in answer.text


def test_once_a_second() -> None:
    """However many ask, Vault is asked once a second."""
    vault, now = Vault(), 0.0
    asked = client(SecretsTest(vault.read, clock=lambda: now))
    for _ in range(5):
        assert asked.simulate_get("/test").status_code == 200
    assert vault.reads == 1
    now = 1.0
    vault.trouble = ProviderFailed("No Vault.")
    assert asked.simulate_get("/test").status_code == 500
    assert vault.reads == 2


def test_nobody_waits_for_another() -> None:
    """While one is asking, the next is told what was known before."""
    began, end = threading.Event(), threading.Event()

    def read() -> None:
        began.set()
        assert end.wait(30)

    asked = client(SecretsTest(read))
    first = threading.Thread(target=asked.simulate_get, args=("/test",))
    first.start()
    try:
        assert began.wait(30)
        assert asked.simulate_get("/test").status_code == 500
    finally:
        end.set()
        first.join()
    assert asked.simulate_get("/test").status_code == 200
