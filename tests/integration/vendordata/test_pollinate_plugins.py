"""Plug-ins that were written for nova-pollinate, under ``firstlight vendordata``."""

from pathlib import Path

import pytest
import requests

from support.cloud.http_api import stand_in
from support.cloud.stand_ins import ROOT, vault_stand_in
from support.providers import pollinate_cases as cases
from support.providers.pollinate_service import Pollinate, start
from support.servers.databases import eventually

SERVER = {"server": {"id": cases.THREE_KEYS["instance-id"], "OS-EXT-SRV-ATTR:host": "c1"}}
SERVERS = f"/servers/{cases.THREE_KEYS['instance-id']}"


def ask(service: Pollinate) -> dict[str, object]:
    answer = requests.post(service.url, json=cases.NOVAS, headers=cases.CONFIRMED, timeout=20)
    assert answer.status_code == 200
    said: dict[str, object] = answer.json()
    return said


def test_by_dotted_path_and_of_the_past(tmp_path: Path) -> None:
    """``a.b.Class`` is found, and is made from the context if that is its contract."""
    options = cases.OPTIONS | {"providers": "pollinate_plugins.OldSite,pollinate_plugins.Motd"}
    with start(tmp_path, options) as service:
        assert ask(service) == {
            "old_site": {"project": cases.NOVAS["project-id"]},
            "motd": {"text": "hello"},
            "cloud-init": "#cloud-config\ntimezone: Europe/Berlin\n",
        }


def test_the_server_is_looked_up_once(tmp_path: Path) -> None:
    """Two plug-ins that call get_instance, side by side, cost Nova one question."""
    options = cases.OPTIONS | {"providers": "server,another"}
    with stand_in({SERVERS: SERVER}) as nova:
        nobody = {"auth_type": "none", "endpoint": nova.url}
        with start(tmp_path, options, more={"service_auth": nobody}) as service:
            assert ask(service) == {"server": {"host": "c1"}, "another": {"host": "c1"}}
        assert nova.asked[SERVERS] == 1


def test_secrets_and_their_test(tmp_path: Path) -> None:
    """A plug-in reads Vault's; ``GET /test`` tells monitoring whether that is possible."""
    with vault_stand_in() as vault:
        vault.keys = {"SITE_KEY": "s3cret"}
        section = {"url": vault.url, "token": ROOT, "path": vault.path}
        options = cases.OPTIONS | {"providers": "secret"}
        with start(tmp_path, options, more={"vault": section}) as service:
            assert ask(service) == {"secret": {"value": "s3cret"}}
            tested = requests.get(f"{service.url}/test", timeout=20)
            assert (tested.status_code, tested.json()) == (200, {"OK": "Success"})
            vault.tokens.clear()

            def forbidden() -> bool:
                return requests.get(f"{service.url}/test", timeout=20).status_code == 500

            assert eventually(forbidden, 30)
            said = requests.get(f"{service.url}/test", timeout=20).json()
            assert list(said) == ["Error"]
        log = service.log.read_text()
        assert "GET /test: secrets cannot be read: Vault does not let us read" in log
        assert ROOT not in log
        assert "s3cret" not in log


def test_one_alone(tmp_path: Path) -> None:
    """A plug-in has a path of its own as any provider has; who breaks is 503 there."""
    with start(tmp_path, cases.OPTIONS) as service:
        motd, broken = (
            requests.post(
                f"{service.url}/providers/{name}",
                json=cases.NOVAS,
                headers=cases.CONFIRMED,
                timeout=20,
            )
            for name in ("motd", "broken_plugin")
        )
        assert motd.json()["text"] == "hello"
        assert motd.headers["Cache-Control"] == "no-store"
        assert broken.status_code == 503
        assert "KeyError" in broken.json()["error"]["message"]
    assert "broken_plugin" in service.log.read_text()


@pytest.mark.parametrize(
    ("providers", "said"),
    [
        ("pollinate_plugins.Nobody", "pollinate_plugins has no Nobody"),
        ("site,pollinate_plugins.Site", "two of them answer under the key site"),
        ("sitte", "nothing installed is named sitte"),
    ],
)
def test_a_plugin_that_cannot_work_stops_the_start(
    tmp_path: Path, providers: str, said: str
) -> None:
    """nova-pollinate went on without it, and nobody noticed."""
    with pytest.raises(AssertionError) as caught, start(tmp_path, {"providers": providers}):
        pass
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)
