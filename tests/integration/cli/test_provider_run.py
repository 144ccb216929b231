"""``firstlight provider run``: one provider, one instance, here and live."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firstlight.cli import main
from firstlight.vendordata.testing import a_context
from support.cloud.stand_ins import (
    CloudStandIn,
    VaultStandIn,
    cloud_section,
    cloud_stand_in,
    vault_section,
    vault_stand_in,
)
from support.providers.vendordata_service import Serve, command, installed, serve  # noqa: F401  fixtures

KNOWN = a_context()
PROJECT, INSTANCE = KNOWN.project_id, KNOWN.instance_id
SERVER = {
    "tenant_id": PROJECT,
    "image": {"id": KNOWN.image_id},
    "OS-EXT-SRV-ATTR:hostname": "web-1",
    "OS-EXT-SRV-ATTR:host": "qh2",
    "OS-EXT-SRV-ATTR:user_data": None,
    "metadata": {"role": "web"},
}

Tried = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cloud() -> Iterator[CloudStandIn]:
    with cloud_stand_in() as cloud:
        cloud.servers[INSTANCE] = SERVER
        cloud.projects[PROJECT] = {"id": PROJECT, "name": "demo"}
        yield cloud


@pytest.fixture
def vault() -> Iterator[VaultStandIn]:
    with vault_stand_in() as vault:
        vault.keys = {"LICENSE_TOKEN_ARDC": "hunter2"}
        yield vault


@pytest.fixture
def conf(tmp_path: Path, cloud: CloudStandIn, vault: VaultStandIn) -> Path:
    rules = tmp_path / "map.yaml"
    rules.write_text("- match: {metadata: {role: web}}\n  data: {kind: web}\n")
    path = tmp_path / "vendordata.conf"
    path.write_text(
        f"[DEFAULT]\nauth_strategy = noauth\nport = 9\nproviders = static_map\n"
        f"[provider:static_map]\nfile = {rules}\n[provider:nvidia_vgpu]\n"
        f"allow_projects = {PROJECT}\n" + cloud_section(cloud.url) + vault_section(vault)
    )
    return path


@pytest.fixture
def tried(conf: Path, capsys: pytest.CaptureFixture[str]) -> Tried:
    """Exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["provider", "run", "--config-file", str(conf), *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_nova_is_asked_about_the_instance(tried: Tried) -> None:
    """Its id is enough: the rest of what Nova would send is looked up."""
    code, out, _ = tried("static_map", "--instance", INSTANCE, "--no-live")
    assert code == 0
    assert json.loads(out.partition("\n")[2]) == {"kind": "web"}


def test_timing(tried: Tried) -> None:
    """How long it took, and each look-up on the way; how long an answer may be kept."""
    _, out, _ = tried("project_info", "--instance", INSTANCE, "--no-live")
    first, second, *_ = out.splitlines()
    assert first.startswith("project_info: ok in ")
    assert first.endswith("may be kept 300 s")
    assert second.strip().startswith(f"looked up project {PROJECT} in ")


def test_secrets_are_not_shown(tried: Tried) -> None:
    """Unless that is what was asked for."""
    question = ("nvidia_vgpu", "--instance", INSTANCE, "--no-live")
    _, out, _ = tried(*question)
    assert "hunter2" not in out
    assert "<secret " in out
    _, out, _ = tried(*question, "--show-secrets")
    assert "hunter2" in out


def test_rules_count(tried: Tried) -> None:
    """An instance that is not allowed is told why it gets nothing."""
    code, out, _ = tried("nvidia_vgpu", "--instance", INSTANCE, "--project", "other", "--no-live")
    assert code == 0
    assert "nvidia_vgpu: empty" in out
    assert "allow_projects" in out


def test_a_failure(tried: Tried, vault: VaultStandIn) -> None:
    """Exit code 1, and the sentence."""
    vault.down = True
    code, out, _ = tried("nvidia_vgpu", "--instance", INSTANCE, "--no-live")
    assert code == 1
    assert "Asking Vault failed" in out


def test_nothing_is_live(tried: Tried) -> None:
    """It says so, and that is no failure."""
    code, out, _ = tried("static_map", "--instance", INSTANCE)
    assert code == 0
    assert "Not compared: nothing answers at http://127.0.0.1:9." in out


def test_the_difference(tried: Tried, serve: Serve, tmp_path: Path) -> None:  # noqa: F811  a fixture
    """What would change for this instance, as diff shows it; the same is said to be the same."""
    live_rules = tmp_path / "live.yaml"
    live_rules.write_text("- data: {kind: old}\n")
    live = serve(
        "auth_strategy = noauth\nproviders = static_map",
        f"[provider:static_map]\nfile = {live_rules}\n",
    )
    question = ("static_map", "--instance", INSTANCE, "--live", live.url)
    code, out, _ = tried(*question)
    assert code == 0
    assert '-  "kind": "old"' in out.splitlines()
    assert '+  "kind": "web"' in out.splitlines()
    (tmp_path / "map.yaml").write_text("- data: {kind: old}\n")
    assert f"The service at {live.url} answers the same." in tried(*question)[1]
    missing = tried("project_info", "--instance", INSTANCE, "--live", live.url)[1]
    assert "has no provider project_info yet" in missing


def test_the_difference_of_secrets(
    tried: Tried,
    serve: Serve,  # noqa: F811  a fixture
    conf: Path,
    vault: VaultStandIn,
) -> None:
    """That there is one, not what it is; the service is asked only if one says where."""
    text = conf.read_text().replace("providers = static_map", "providers = nvidia_vgpu")
    live = serve(*_split(text))
    question = ("nvidia_vgpu", "--instance", INSTANCE)
    assert "Not compared" not in tried(*question)[1]
    assert "answers the same" in tried(*question, "--live", live.url)[1]
    vault.keys = {"LICENSE_TOKEN_ARDC": "hunter3"}
    out = tried(*question, "--live", live.url)[1]
    assert '-  "license_token": "<secret' in out
    assert "hunter" not in out


def _split(text: str) -> tuple[str, str]:
    """``[DEFAULT]`` and the rest, as the service's fixture wants them."""
    default, _, rest = text.removeprefix("[DEFAULT]\n").partition("\n[")
    return default.replace("port = 9\n", ""), "[" + rest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("static_map",), "--instance"),
        (("nobody", "--instance", "i", "--project", "p"), "nobody"),
        (("static_map", "--instance", "i", "--project", "p", "--metadata", "x"), "KEY=VALUE"),
        (("static_map", "--body", "/nowhere"), "/nowhere"),
        (("static_map", "--instance", "unknown"), "no instance unknown"),
    ],
)
def test_what_cannot_be_tried(tried: Tried, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 1 and a sentence."""
    code, _, err = tried(*arguments)
    assert code == 1
    assert err.startswith("firstlight provider run: ")
    assert said in err


def test_a_body_from_a_file(tried: Tried, tmp_path: Path) -> None:
    """As Nova would send it."""
    body = tmp_path / "body.json"
    body.write_text('{"project-id": "p", "instance-id": "i", "metadata": {"role": "web"}}')
    _, out, _ = tried("static_map", "--body", str(body), "--no-live")
    assert '"kind": "web"' in out
