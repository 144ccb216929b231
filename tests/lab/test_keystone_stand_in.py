"""nova-pollinate's and pcss-vendor-metadata's files with real Keystone: who is let in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from lab.keystone import Keystone
from support.providers import pollinate_cases as cases
from support.providers.pollinate_service import Pollinate, start
from support.servers.databases import free_port

FORGED = cases.CONFIRMED | {"X-Roles": "admin", "X-User-Id": "u", "X-Project-Id": "p"}


@pytest.fixture(scope="module")
def pollinate(keystone: Keystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pollinate]:
    """With a plug-in that asks Keystone through the client it is made from."""
    options = {"providers": "pollinate.providers.keystone.KeystoneProvider,"
               "pollinate_plugins.OlderSite"}  # fmt: skip
    more = {
        "keystone_authtoken": keystone.credentials("vendordata", "service"),
        "service_auth": keystone.credentials("vendordata", system_scope="all"),
    }
    with start(tmp_path_factory.mktemp("pollinate"), options, more=more) as service:
        yield service


def ask(service: Pollinate, path: str = "/", **headers: str) -> requests.Response:
    return requests.post(service.url + path, json=cases.THREE_KEYS, headers=headers, timeout=20)


def test_a_token_lets_in(pollinate: Pollinate, keystone: Keystone) -> None:
    """As the README of nova-pollinate does it; both providers ask real Keystone."""
    demo = keystone.projects["demo"]
    answer = requests.post(
        pollinate.url,
        json=cases.THREE_KEYS | {"project-id": demo},
        headers={
            "X-Auth-Token": keystone.token("nova", "service"),
            "HTTP_X_IDENTITY_STATUS": "Confirmed",
        },
        timeout=20,
    )
    assert answer.json() == {
        "project_info": {"project_id": demo, "project_name": "demo"},
        "older_site": {"name": "demo"},
    }


def test_a_callers_word_is_not_believed(pollinate: Pollinate, keystone: Keystone) -> None:
    """Without a good token nobody gets in, whatever he says of himself."""
    for token in ({}, {"X-Auth-Token": "garbage"}):
        for word in ({}, FORGED, {"HTTP_X_IDENTITY_STATUS": "Confirmed"}):
            assert ask(pollinate, **token, **word).status_code == 401
    token = keystone.token("nova", "service")
    keystone.revoke(token)
    assert ask(pollinate, **{"X-Auth-Token": token}, **FORGED).status_code == 401


def test_what_is_open(pollinate: Pollinate) -> None:
    """Monitoring asks two paths without a token, and only these."""
    assert requests.get(f"{pollinate.url}/healthcheck", timeout=20).status_code == 200
    assert requests.get(f"{pollinate.url}/test", timeout=20).status_code == 500  # no Vault here
    for path in ("/test/", "/healthcheck/x", "/providers/older_site", "/cloud-init"):
        assert ask(pollinate, path).status_code == 401


def test_pcss_asks_keystone(keystone: Keystone, tmp_path: Path) -> None:
    """Its file has no auth_strategy: every path asks for a token, whatever a caller says."""
    more = {
        "keystone_authtoken": keystone.credentials("vendordata", "service")
        | {"delay_auth_decision": "true"},
        "neutron": keystone.credentials("vendordata", "service"),
        "firstlight": {"status_port": "0", "shape": "pcss"},
    }
    port = free_port()
    options = {"listen": "127.0.0.1", "port": str(port)}
    with start(tmp_path, options, more=more, port=port) as service:
        for path in ("/", "/any/path", "/test"):
            assert ask(service, path).status_code == 401
            assert ask(service, path, **FORGED).status_code == 401
        # Keystone knows of no Neutron, which is 500 as ever.
        good = {"X-Auth-Token": keystone.token("nova", "service")}
        assert ask(service, "/any/path", **good).status_code == 500
