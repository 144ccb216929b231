"""The whole road: what a guest reads when Nova, or ours in its place, asks our service."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.processes import running
from lab.providers.conftest import PATIENT, WholeCloud
from lab.recording import ask_all
from support.cloud.stand_ins import SRIOV
from support.providers.vendordata_service import Serve, Service

DOCUMENT = "/openstack/latest/vendor_data2.json"
Ask = Callable[[str], tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def service(serve: Serve, cloud: WholeCloud, tmp_path_factory: pytest.TempPathFactory) -> Service:
    rules = tmp_path_factory.mktemp("rules") / "map.yaml"
    rules.write_text("- data: {cloud-config: {packages: [chrony]}}\n")
    return serve(
        "providers = project_info,mlnx_sriov,static_map",
        f"required_roles = service\n[provider:static_map]\nfile = {rules}\n" + cloud.sections(),
        deadline=PATIENT,
    )


@pytest.fixture(scope="module")
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


@contextmanager
def _both(
    cloud: WholeCloud, api: dict[str, str], home: Path, user: str, project: str
) -> Iterator[Ask]:
    """Nova and ours with the credentials of a user on a project; what they give a server."""
    sections = {"vendordata_dynamic_auth": cloud.keystone.credentials(user, project)}
    neutron = cloud.keystone.credentials("admin", "admin")
    conf = cloud.directory / "nova" / "nova.conf"
    patient = home / "patient.conf"
    patient.write_text(f"[firstlight]\nvendordata_deadline = {PATIENT}\ndeadline = 40\n")
    with (
        cloud.nova.serving(api, sections=sections, **neutron) as novas,
        running("firstlight", home, home / "unused", [conf, patient]) as ours,
    ):

        def ask(name: str) -> tuple[bytes, bytes]:
            ports = (novas, ours.port)
            answers = [
                ask_all(port, cloud.kinds[name], [DOCUMENT], slash=False)[DOCUMENT]
                for port in ports
            ]
            assert [answer.status for answer in answers] == [200, 200]
            return answers[0].body, answers[1].body

        yield ask


@pytest.fixture(scope="module")
def ask(
    cloud: WholeCloud, api: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ask]:
    """The bodies that Nova and ours give a server, with Nova's own credentials."""
    with _both(cloud, api, tmp_path_factory.mktemp("ours"), "nova", "service") as ask:
        yield ask


def test_the_guests_bytes(ask: Ask, cloud: WholeCloud) -> None:
    """The port's binding in Neutron is what the guest reads; both give the same bytes."""
    theirs, mine = ask("image")
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


def test_a_server_without_sriov(ask: Ask) -> None:
    """Its key is there and empty, with both."""
    theirs, mine = ask("plain")
    assert mine == theirs
    assert json.loads(mine)["mlnx_sriov"] == {}


def test_credentials_of_the_wrong_project(
    cloud: WholeCloud, api: dict[str, str], tmp_path: Path
) -> None:
    """Our service refuses them, and the guest reads empty objects from both."""
    with _both(cloud, api, tmp_path, "demo", "demo") as ask:
        theirs, mine = ask("image")
    assert mine == theirs
    assert json.loads(mine) == {"static": {}, "mlnx_sriov": {}, "site": {}, "cloud-init": {}}
