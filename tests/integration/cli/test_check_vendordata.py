"""``firstlight check vendordata``: credentials, what each provider needs, the listener."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firstlight.cli import main
from firstlight_dpm.mock import serve as serve_hmc
from support.cloud.stand_ins import (
    CloudStandIn,
    VaultStandIn,
    cloud_section,
    cloud_stand_in,
    vault_section,
    vault_stand_in,
)
from support.providers.vendordata_service import Serve, command, installed, serve  # noqa: F401  fixtures

Checked = Callable[..., tuple[int, dict[str, tuple[str, str]]]]


@pytest.fixture
def cloud() -> Iterator[CloudStandIn]:
    with cloud_stand_in() as cloud:
        yield cloud


@pytest.fixture
def vault() -> Iterator[VaultStandIn]:
    with vault_stand_in() as vault:
        vault.keys = {}
        yield vault


@pytest.fixture
def checked(
    tmp_path: Path, cloud: CloudStandIn, vault: VaultStandIn, capsys: pytest.CaptureFixture[str]
) -> Checked:
    """Exit code, and by step: verdict and what was found."""

    def check(default: str, more: str = "", *arguments: str) -> Any:
        conf = tmp_path / "vendordata.conf"
        conf.write_text(
            f"[DEFAULT]\n{default}\n{more}\n{cloud_section(cloud.url)}{vault_section(vault)}"
        )
        code = main(["check", "vendordata", "--json", "--config-file", str(conf), *arguments])
        steps = json.loads(capsys.readouterr().out)["steps"]
        return code, {step["name"]: (step["verdict"], json.dumps(step)) for step in steps}

    return check


def test_a_providers_own_words(checked: Checked, tmp_path: Path) -> None:
    """Whom it asks, if it says more than its needs; how to mend what it says."""
    with serve_hmc("z16", tmp_path) as hmc:
        options = "".join(f"{name} = {value}\n" for name, value in hmc.options.items())
        machine = tmp_path / "machine-1.conf"
        machine.write_text(f"[dpm]\n{options}")
        default = "auth_strategy = noauth\nproviders = dpm_nics"
        more = f"[provider:dpm_nics]\nconfig_files = {machine}"
        _, steps = checked(default, more, "--before-start")
        verdict, said = steps["provider dpm_nics"]
        assert verdict == "ok"
        assert "can ask for Neutron ports, partitions on HMC 127.0.0.1" in said
        machine.write_text(f"[dpm]\n{options}hmc_port = 9\n")
        verdict, said = checked(default, more, "--before-start")[1]["provider dpm_nics"]
        assert verdict == "broken"
        assert f'"{machine}: looking for the machine ' in said
        assert '"mend what is named; then `firstlight provider run dpm_nics' in said


ALL = "auth_strategy = noauth\nproviders = project_info,nvidia_vgpu,mlnx_sriov"


def test_all_is_well(checked: Checked) -> None:
    """Each provider's step says what it can ask for."""
    code, steps = checked(ALL, "", "--before-start")
    assert code == 0
    assert steps["provider nvidia_vgpu"][0] == "ok"
    assert "Keystone project, Vault secrets" in steps["provider nvidia_vgpu"][1]
    assert steps["credentials [service_auth]"][0] == "ok"
    assert steps["callers"][0] == "warning"  # noauth


def test_vault_is_away(checked: Checked, vault: VaultStandIn) -> None:
    """Only who needs it is broken, and the sentence says so."""
    vault.down = True
    code, steps = checked(ALL, "", "--before-start")
    assert code == 1
    assert steps["provider nvidia_vgpu"][0] == "broken"
    assert "Asking Vault failed" in steps["provider nvidia_vgpu"][1]
    assert steps["provider project_info"][0] == "ok"


def test_a_right_that_is_missing(checked: Checked, cloud: CloudStandIn) -> None:
    """With the role that would do."""
    cloud.status = 403
    _, steps = checked(ALL, "", "--before-start")
    assert "role reader on the system" in steps["provider project_info"][1]


def test_a_provider_that_cannot_be_made(checked: Checked) -> None:
    """The same sentence as at the start."""
    code, steps = checked("auth_strategy = noauth\nproviders = nobody", "", "--before-start")
    assert code == 1
    assert "nothing installed is named nobody" in steps["providers"][1]


def test_callers_need_credentials_of_ours(checked: Checked) -> None:
    """keystone without ``[keystone_authtoken]``: what to set, as a sentence."""
    _, steps = checked("providers = project_info", "", "--before-start")
    assert steps["callers"][0] == "broken"
    assert "auth_type" in steps["callers"][1]
    assert '"set it to password, and give auth_url, username, password' in steps["callers"][1]


@pytest.mark.parametrize(
    ("listens", "asked"), [("0.0.0.0", "127.0.0.1:9"), ("::", "[::1]:9"), ("::1", "[::1]:9")]
)
def test_where_it_asks(checked: Checked, listens: str, asked: str) -> None:
    """A service that listens everywhere is asked here; nobody is at the address of everywhere."""
    default = f"auth_strategy = noauth\nlisten = {listens}\nport = 9"
    _, steps = checked(default)
    assert f"nobody answers at {asked}: " in steps["vendordata service"][1]


def test_shadow_is_told(checked: Checked) -> None:
    """So that nobody forgets it."""
    more = "[provider:project_info]\nshadow = true"
    _, steps = checked("auth_strategy = noauth\nproviders = project_info", more, "--before-start")
    assert steps["provider project_info"][0] == "warning"


def test_the_listener(checked: Checked, serve: Serve) -> None:  # noqa: F811  a fixture
    """The service that runs, and its own word on its readiness; nobody there is broken."""
    live = serve("auth_strategy = noauth\nproviders = echo")
    default = f"auth_strategy = noauth\nlisten = 127.0.0.1\nport = {live.url.rpartition(':')[2]}"
    more = f"[firstlight]\nstatus_port = {live.status.rpartition(':')[2]}"
    _, steps = checked(default, more)
    assert (steps["vendordata service"][0], steps["status"][0]) == ("ok", "ok")
    code, steps = checked("auth_strategy = noauth\nlisten = 127.0.0.1\nport = 9")
    assert code == 1
    assert (steps["vendordata service"][0], steps["status"][0]) == ("broken", "not tried")
