"""The whole road: what a guest reads when Nova, or ours in its place, asks our service."""

import json
from typing import Any

import pytest

from conformance.processes import running
from lab.providers.conftest import PATIENT, WholeCloud
from lab.recording import ask_all
from stand_ins import SRIOV
from vendordata_service import Serve, Service

DOCUMENT = "/openstack/latest/vendor_data2.json"


@pytest.fixture(scope="module")
def service(serve: Serve, cloud: WholeCloud, tmp_path_factory: pytest.TempPathFactory) -> Service:
    rules = tmp_path_factory.mktemp("rules") / "map.yaml"
    rules.write_text("- data: {cloud-config: {packages: [chrony]}}\n")
    return serve(
        "providers = project_info,mlnx_sriov,static_map",
        f"required_roles = service\n[provider:static_map]\nfile = {rules}\n" + cloud.sections(),
        deadline=PATIENT,
    )


@pytest.fixture
def api(service: Service) -> dict[str, str]:
    """``[api]`` of the nova.conf: pcss's target, everything, and what cloud-init reads."""
    targets = {
        "mlnx_sriov": "/providers/mlnx_sriov",
        "site": "/",
        "cloud-init": "/cloud-init",
    }
    named = ",".join(f"{name}@{service.url}{path}" for name, path in targets.items())
    return {
        "vendordata_providers": "StaticJSON,DynamicJSON",
        "vendordata_dynamic_targets": named,
        "vendordata_dynamic_connect_timeout": "30",
        "vendordata_dynamic_read_timeout": "30",
    }


@pytest.fixture
def asked_by(cloud: WholeCloud, api: dict[str, str], tmp_path: Any) -> Any:
    """The bodies that Nova and ours give a guest, with the credentials of a user on a project."""

    def ask(user: str, project: str, name: str) -> tuple[bytes, bytes]:
        sections = {"vendordata_dynamic_auth": cloud.keystone.credentials(user, project)}
        neutron = cloud.keystone.credentials("admin", "admin")
        kind = cloud.kinds[name]
        with cloud.nova.serving(api, sections=sections, **neutron) as novas:
            theirs = ask_all(novas, kind, [DOCUMENT], slash=False)[DOCUMENT]
        conf = cloud.directory / "nova" / "nova.conf"
        patient = tmp_path / "patient.conf"
        patient.write_text(f"[firstlight]\nvendordata_deadline = {PATIENT}\ndeadline = 40\n")
        with running("firstlight", tmp_path, tmp_path / "unused", [conf, patient]) as ours:
            mine = ask_all(ours.port, kind, [DOCUMENT], slash=False)[DOCUMENT]
        assert (theirs.status, mine.status) == (200, 200)
        return theirs.body, mine.body

    return ask


def test_the_guests_bytes(asked_by: Any, cloud: WholeCloud) -> None:
    """The port's binding in Neutron is what the guest reads; both give the same bytes."""
    theirs, mine = asked_by("nova", "service", "image")
    assert mine == theirs
    cloud_init = "#cloud-config\npackages:\n- chrony\n"
    assert json.loads(mine) == {
        "static": {},
        "mlnx_sriov": SRIOV,
        "site": {
            "project_info": {"project_id": cloud.keystone.projects["demo"], "project_name": "demo"},
            "mlnx_sriov": SRIOV,
            "cloud-init": cloud_init,
        },
        "cloud-init": cloud_init,
    }


def test_a_server_without_sriov(asked_by: Any) -> None:
    """Its key is there and empty, with both."""
    theirs, mine = asked_by("nova", "service", "plain")
    assert mine == theirs
    assert json.loads(mine)["mlnx_sriov"] == {}


def test_credentials_of_the_wrong_project(asked_by: Any) -> None:
    """Our service refuses them, and the guest reads empty objects from both."""
    theirs, mine = asked_by("demo", "demo", "image")
    assert mine == theirs
    assert json.loads(mine) == {"static": {}, "mlnx_sriov": {}, "site": {}, "cloud-init": {}}
