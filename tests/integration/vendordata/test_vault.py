"""Secrets through hvac: getting in, staying in, and whose fault it is when that ends."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hvac import Client

from firstlight import conf
from firstlight.conf import ConfigError
from firstlight.vendordata.contract import ProviderFailed
from firstlight.vendordata.vault.login import WithToken
from firstlight.vendordata.vault.opening import open_vault
from firstlight.vendordata.vault.secrets import Vault
from firstlight.vendordata.vault.token import Token
from support.cloud.stand_ins import ROOT, VaultStandIn, vault_section, vault_stand_in
from support.servers.databases import eventually

Opened = Callable[..., Vault]
READ = "secret/data/pollinate"


@pytest.fixture
def server() -> Iterator[VaultStandIn]:
    with vault_stand_in() as vault:
        vault.keys = {"LICENSE": "l1", "ENABLED": True}
        yield vault


@pytest.fixture
def opened(server: VaultStandIn, tmp_path: Path) -> Iterator[Opened]:
    """Opens Vaults from a file of options, and closes them afterwards."""
    made: list[Vault] = []

    def open_from(options: str = "") -> Vault:
        path = tmp_path / "vendordata.conf"
        path.write_text(options or vault_section(server))
        made.append(open_vault(conf.load("vendordata", [str(path)])))
        return made[-1]

    yield open_from
    for vault in made:
        vault.close()


def kubernetes(server: VaultStandIn, jwt: Path) -> str:
    return (
        f"[vault]\nurl = {server.url}\nrole = vendordata\npath = pollinate\n"
        f"[firstlight]\nvault_service_account_token = {jwt}\n"
    )


def test_a_token_reads(opened: Opened) -> None:
    """Keys come as they are kept; a key that is not there is nothing, not a failure."""
    vault = opened()
    assert vault.get("LICENSE") == "l1"
    assert vault.get("ENABLED") is True
    assert vault.get("NOBODY") is None
    assert vault.everything() == {"LICENSE": "l1", "ENABLED": True}


def test_it_is_read_once_a_minute(opened: Opened, server: VaultStandIn) -> None:
    """Many keys, many times: one read."""
    vault = opened()
    for key in ("LICENSE", "NOBODY", "LICENSE"):
        vault.get(key)
    assert server.asked[READ] == 1


def test_a_new_value_shows_after_a_minute(server: VaultStandIn) -> None:
    """The clock handed in decides, and no sooner than it says."""
    now = 0.0
    vault = Vault(
        Client(server.url), WithToken(ROOT), path="pollinate", mount="secret", clock=lambda: now
    )
    assert vault.get("LICENSE") == "l1"
    server.keys = {"LICENSE": "l2"}
    now = 59.9
    assert vault.get("LICENSE") == "l1"
    now = 60.0
    assert vault.get("LICENSE") == "l2"
    vault.close()


def test_kubernetes_logs_in(opened: Opened, server: VaultStandIn, tmp_path: Path) -> None:
    """With the role and the pod's token, read from its file."""
    jwt = tmp_path / "jwt"
    jwt.write_text("pod-1\n")
    server.jwts = {"pod-1"}
    assert opened(kubernetes(server, jwt)).get("LICENSE") == "l1"
    assert server.asked["auth/kubernetes/login"] == 1


def test_a_lease_is_renewed_before_it_ends(
    opened: Opened, server: VaultStandIn, tmp_path: Path
) -> None:
    """Although nobody asks, the token stays good: there is no second login."""
    jwt = tmp_path / "jwt"
    jwt.write_text("pod-1")
    server.jwts, server.lease = {"pod-1"}, 3
    vault = opened(kubernetes(server, jwt))
    vault.get("LICENSE")
    assert eventually(lambda: server.asked["auth/token/renew-self"] >= 2)
    vault.ready()
    assert server.asked["auth/kubernetes/login"] == 1


def test_a_lease_that_cannot_be_renewed_ends_in_a_login(
    opened: Opened, server: VaultStandIn, tmp_path: Path
) -> None:
    """With the token that the pod has by then."""
    jwt = tmp_path / "jwt"
    jwt.write_text("pod-1")
    server.jwts, server.lease, server.renewable = {"pod-1"}, 2, False
    vault = opened(kubernetes(server, jwt))
    vault.get("LICENSE")
    jwt.write_text("pod-2")
    server.jwts = {"pod-2"}
    assert eventually(lambda: server.asked["auth/kubernetes/login"] >= 2)
    vault.ready()
    assert server.asked["auth/token/renew-self"] == 0


def test_a_revoked_token_is_replaced(opened: Opened, server: VaultStandIn, tmp_path: Path) -> None:
    """Vault says no before the lease ended: one login more, and the same answer."""
    jwt = tmp_path / "jwt"
    jwt.write_text("pod-1")
    server.jwts = {"pod-1"}
    vault = opened(kubernetes(server, jwt))
    vault.get("LICENSE")
    server.tokens.clear()
    vault.ready()
    assert server.asked["auth/kubernetes/login"] == 2


def test_a_renewal_that_fails_is_tried_again(server: VaultStandIn) -> None:
    """Vault is away when the token should be renewed, and back before it ends."""
    server.tokens[ROOT] = time.monotonic() + 30
    token = Token(Client(server.url), WithToken(ROOT), least=0.05)
    token.ensure()
    server.down = True
    token.renew()
    server.down = False
    token.renew()
    assert server.tokens[ROOT] > time.monotonic() + 3000
    token.close()


def wrong_token(server: VaultStandIn, _: Path) -> str:
    return vault_section(server).replace(ROOT, "wrong")


def wrong_path(server: VaultStandIn, _: Path) -> str:
    return vault_section(server).replace("path = pollinate", "path = elsewhere")


def nobody_there(server: VaultStandIn, _: Path) -> str:
    return vault_section(server).replace(server.url, "http://127.0.0.1:9")


def no_pod(server: VaultStandIn, directory: Path) -> str:
    return kubernetes(server, directory / "nothing")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (wrong_token, "[vault] token"),
        (wrong_path, "[vault] path = elsewhere"),
        (nobody_there, "Asking Vault failed"),
        (no_pod, "The pod's token cannot be read"),
    ],
)
def test_failures_say_whose_fault_they_are(
    options: Callable[[VaultStandIn, Path], str],
    said: str,
    opened: Opened,
    server: VaultStandIn,
    tmp_path: Path,
) -> None:
    """A sentence with the option to mend, and without a token in it."""
    vault = opened(options(server, tmp_path))
    with pytest.raises(ProviderFailed, match=said.replace("[", r"\[")) as caught:
        vault.get("LICENSE")
    assert ROOT not in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_deleted_secret_is_a_failure(opened: Opened, server: VaultStandIn) -> None:
    """It is not taken for a secret without keys."""
    server.keys = None
    with pytest.raises(ProviderFailed, match="was deleted"):
        opened().get("LICENSE")


def test_sealed_and_back(server: VaultStandIn) -> None:
    """A failure is remembered for a second, so that nobody queues for it; then all is well."""
    now = 0.0
    client = Client(server.url)
    vault = Vault(client, WithToken(ROOT), path="pollinate", mount="secret", clock=lambda: now)
    server.down = True
    for _ in range(3):
        with pytest.raises(ProviderFailed, match="sealed"):
            vault.get("LICENSE")
    assert server.asked["auth/token/lookup-self"] == 1
    server.down = False
    now = 1.0
    assert vault.get("LICENSE") == "l1"
    vault.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("[vault]\npath = p\ntoken = t\n", "url is not set"),
        ("[vault]\nurl = http://v\ntoken = t\n", "path is not set"),
        ("[vault]\nurl = http://v\npath = p\n", "neither token nor role"),
    ],
)
def test_half_a_section_stops_the_start(options: str, said: str, opened: Opened) -> None:
    """By the name of the option."""
    with pytest.raises(ConfigError, match=said):
        opened(options)


def test_the_environment_has_no_say(
    opened: Opened, server: VaultStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """hvac would take a token from VAULT_TOKEN; the configuration's role is meant."""
    monkeypatch.setenv("VAULT_TOKEN", ROOT)
    with pytest.raises(ProviderFailed, match="cannot be read"):
        opened(kubernetes(server, tmp_path / "nothing")).get("LICENSE")
