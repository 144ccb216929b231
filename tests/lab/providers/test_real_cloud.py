"""Every provider, asked by Nova's token, with real OpenStack behind it."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from lab.providers.conftest import KEYS, PATIENT, WholeCloud
from support.cloud.stand_ins import SRIOV
from support.providers.vendordata_service import Serve, Service
from support.servers.databases import eventually

EVERY = "project_info,mlnx_sriov,nvidia_vgpu,windows_product_key,crowdstrike,cloudstor"
SENSOR = {
    "cid": "CID-1",
    "installer_url": "https://x/deb",
    "enabled": True,
    "fail_if_missing": False,
    "installer_url_deb": "https://x/deb",
}
LICENCE = {"product_key": "AAAAA-BBBBB"}
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def service(serve: Serve, cloud: WholeCloud) -> Service:
    state = cloud.directory / "state"
    return serve(
        f"providers = {EVERY}\nstate_path = {state}",
        f"required_roles = service\nvault_service_account_token = {cloud.directory}/jwt\n"
        + cloud.sections(),
        deadline=PATIENT,
    )


@pytest.fixture
def ask(service: Service, cloud: WholeCloud) -> Ask:
    """What a provider tells a server, in Nova's name."""
    token = cloud.keystone.token("nova", "service")

    def ask_for(name: str, provider: str = "", of: Service = service) -> Any:
        path = f"/providers/{provider}" if provider else "/"
        answer = of.post(path, cloud.body(name), headers={"X-Auth-Token": token})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask_for


def test_everything_at_once(ask: Ask, cloud: WholeCloud) -> None:
    """One request, every service asked, each provider under its own key."""
    assert ask("image") == {
        "project_info": {"project_id": cloud.keystone.projects["demo"], "project_name": "demo"},
        "mlnx_sriov": SRIOV,
        "nvidia_vgpu": {"license_token": "ardc-token"},
        "windows_product_key": LICENCE,
        "crowdstrike": SENSOR,
        "cloudstor": {"user": "me"},
    }


def test_a_server_without_any_of_it(ask: Ask) -> None:
    """No SR-IOV, no Windows: nothing."""
    assert ask("plain", "mlnx_sriov") == {}
    assert ask("plain", "windows_product_key") == {}


def test_booted_from_a_volume(ask: Ask) -> None:
    """Cinder's copy of the image's properties counts."""
    assert ask("volume", "windows_product_key") == LICENCE


def test_zones_of_a_project(ask: Ask, zones: Callable[[str], None], serve: Serve, cloud) -> None:
    """The property is read of the project in Keystone."""
    zones("qld,monash-02")
    fresh = serve(
        "providers = nvidia_vgpu",
        f"vault_service_account_token = {cloud.directory}/jwt\n" + cloud.sections(),
    )
    assert ask("image", "nvidia_vgpu", fresh) == {"license_token": "monash-token"}


def test_all_ports(ask: Ask, serve: Serve, cloud: WholeCloud) -> None:
    """With pcss's own kind of credentials: a user of the role `service`, in ``[neutron]``."""
    neutron = cloud.keystone.credentials("neutron", "service")
    options = "\n".join(f"{key} = {value}" for key, value in neutron.items())
    fresh = serve(
        "providers = mlnx_sriov",
        f"[provider:mlnx_sriov]\nall_ports = true\n{cloud.sections()}[neutron]\n{options}",
        deadline=PATIENT,
    )
    answer = ask("image", "mlnx_sriov", fresh)
    ports = answer.pop("ports")
    assert answer == SRIOV
    assert [port["dynamic_pkey"] for port in ports] == ["0x8002", "0x8003"]
    assert all(port["mac"].startswith("fa:16:3e") and port["port_id"] for port in ports)


def test_who_may_ask(service: Service, cloud: WholeCloud) -> None:
    """A token of another project is refused, and so is one whose time is over."""
    wrong = cloud.keystone.token("demo", "demo")
    assert (
        service.post("/", cloud.body("image"), headers={"X-Auth-Token": wrong}).status_code == 403
    )
    cloud.keystone.stop()
    cloud.keystone.start(expiration=1)
    try:
        short = cloud.keystone.token("nova", "service")
        time.sleep(1.1)
        answer = service.post("/", cloud.body("image"), headers={"X-Auth-Token": short})
        assert answer.status_code == 401
    finally:
        cloud.keystone.stop()
        cloud.keystone.start()


def test_once_a_boot(ask: Ask, serve: Serve, cloud: WholeCloud) -> None:
    """For a second from the first answer, and again after Nova rebooted the server."""
    fresh = serve(
        f"providers = windows_product_key\nstate_path = {cloud.directory}/once",
        f"vault_service_account_token = {cloud.directory}/jwt\n{cloud.sections()}"
        "[provider:windows_product_key]\nrelease_once = true\nrelease_window = 1\n",
        deadline=PATIENT,
    )
    assert ask("image", "windows_product_key", fresh) == LICENCE
    assert eventually(lambda: ask("image", "windows_product_key", fresh) == {}, 60)
    cloud.did("image", "reboot")
    assert ask("image", "windows_product_key", fresh) == LICENCE


def test_the_log(service: Service, ask: Ask, cloud: WholeCloud) -> None:
    """Each secret that was given out has its line, with Nova's user; no secret is in the log."""
    ask("image")
    log = service.log.read_text()
    given = [line for line in log.splitlines() if "the secret of provider" in line]
    uuid = cloud.kinds["image"].instance["uuid"]
    for provider in ("windows_product_key", "crowdstrike", "nvidia_vgpu", "cloudstor"):
        assert any(f"provider {provider} was given to instance {uuid}" in line for line in given)
    assert not any("asked by user -" in line for line in given)
    assert [secret for secret in KEYS.values() if secret in log] == []
