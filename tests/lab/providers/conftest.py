"""A whole cloud: Keystone, Nova, Neutron, Glance and Cinder, all of them real, and what is in it.

Vault is the stand-in of tests/support/cloud/stand_ins.py.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from lab.a_keystone import a_keystone
from lab.apis import announce, cinder_api, glance_api, nova_api
from lab.environment import lab
from lab.keystone import Keystone
from lab.kinds.kind import Kind, identifier, server
from lab.nova import Nova, free_port
from lab.real_neutron import RealNeutron
from lab.uwsgi import Uwsgi, run
from support.cloud.stand_ins import SRIOV, VaultStandIn, vault_stand_in
from support.parts import absent
from support.providers.vendordata_service import command, installed, serve  # noqa: F401  fixtures

TRAIT = "trait:CUSTOM_NECTAR_WINDOWS"
WINDOWS, LINUX = identifier(1, 1), identifier(2, 1)
VOLUME = identifier(1, 5)
PATIENT = 30.0  # seconds for a request: on a busy machine real services wake up slowly
_INSIDE = Path(__file__).parents[1] / "inside_cloud.py"

KEYS = {
    "LICENSE_TOKEN_ARDC": "ardc-token",
    "LICENSE_TOKEN_MONASH": "monash-token",
    "WINDOWS_PRODUCT_KEY_COMPUTE-1": "AAAAA-BBBBB",
    "CROWDSTRIKE_NOVA_CID": "CID-1",
    "CROWDSTRIKE_NOVA_INSTALLER_URL_DEB": "https://x/deb",
}


@dataclass
class WholeCloud:
    """What runs, and the servers by name."""

    environment: Path
    directory: Path
    keystone: Keystone
    neutron: RealNeutron
    nova: Nova
    vault: VaultStandIn
    kinds: dict[str, Kind] = field(default_factory=dict)

    def body(self, name: str) -> dict[str, Any]:
        """What Nova says of a server."""
        known = self.kinds[name].instance
        image = known.get("image_id") or None
        return {
            "project-id": known["project_id"],
            "instance-id": known["uuid"],
            "image-id": image,
            "hostname": known["hostname"],
        }

    def did(self, name: str, action: str) -> None:
        """Have Nova record an action on a server."""
        uuid = self.kinds[name].instance["uuid"]
        self.inside("nova", {"volumes": {}, "actions": [[uuid, action]]})

    def inside(self, service: str, what: Any) -> None:
        """Run inside_cloud.py."""
        conf = str(self.directory / service / f"{service}.conf")
        arguments = ("-P", str(_INSIDE), service, conf)
        run(self.environment, self.directory, "python", *arguments, said=json.dumps(what))

    def sections(self) -> str:
        """The service's: callers' tokens, its own user (an administrator), Vault."""
        return (
            _section("keystone_authtoken", self.keystone.credentials("vendordata", "service"))
            + _section("service_auth", self.keystone.credentials("admin", "admin"))
            + f"[vault]\nurl = {self.vault.url}\nrole = vendordata\npath = {self.vault.path}\n"
        )


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Of this cloud alone: its services are in the catalog, and no other test may find them."""
    yield from a_keystone(tmp_path_factory)


@pytest.fixture(scope="session")
def cloud(keystone: Keystone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeCloud]:
    """Everything up and filled, around the Keystone that all tests of the lab share."""
    environment = lab()
    for name in ("glance", "cinder"):
        if not (environment / "etc" / name).exists():
            absent(f"no {name} in the lab {environment}; requirements/lab.txt has it")
    directory = tmp_path_factory.mktemp("whole-cloud")
    for name in ("nova", "neutron", "glance", "cinder"):
        (directory / name).mkdir()
    with ExitStack() as stack:
        vault = stack.enter_context(vault_stand_in())
        vault.keys, vault.jwts = dict(KEYS), {"pod"}
        (directory / "jwt").write_text("pod")
        cloud = _started(environment, directory, keystone, vault, stack)
        _fill(cloud)
        yield cloud


def _started(
    environment: Path, directory: Path, keystone: Keystone, vault: VaultStandIn, stack: ExitStack
) -> WholeCloud:
    neutron = RealNeutron(
        environment,
        directory / "neutron",
        free_port(),
        keystone,
        drivers="mlnxlike,openvswitch",
    )
    stack.callback(neutron.stop)
    neutron.create()
    nova = Nova(environment, directory / "nova", neutron=neutron.url)
    cloud = WholeCloud(environment, directory, keystone, neutron, nova, vault)
    demo = keystone.projects["demo"]
    cloud.kinds = {
        "image": Kind("image", server(1, project_id=demo, image_id=WINDOWS)),
        "volume": Kind("volume", server(2, project_id=demo, image_id="")),
        "plain": Kind("plain", server(3, project_id=demo, image_id=LINUX)),
    }
    nova.make_instances(cloud.kinds.values())
    for service_type, path, api in _apis(environment, directory, keystone):
        stack.callback(api.stop)
        api.start()
        announce(keystone, service_type, api.url + path)
        if service_type == "image":
            _images(keystone, api.url)
    return cloud


def _apis(environment: Path, directory: Path, keystone: Keystone) -> list[tuple[str, str, Uwsgi]]:
    conf = directory / "nova" / "nova.conf"
    at = (environment, directory)
    return [
        ("compute", "/v2.1", nova_api(at[0], conf, free_port(), keystone)),
        ("image", "", glance_api(at[0], at[1] / "glance", free_port(), keystone)),
        ("block-storage", "/v3", cinder_api(at[0], at[1] / "cinder", free_port(), keystone)),
    ]


def _images(keystone: Keystone, url: str) -> None:
    for identifier_, more in ((WINDOWS, {TRAIT: "required"}), (LINUX, {})):
        image = {"id": identifier_, "name": "i", "disk_format": "raw", "container_format": "bare"}
        answer = requests.post(
            f"{url}/v2/images", json={**image, **more}, headers=_admin(keystone), timeout=20
        )
        answer.raise_for_status()


def _fill(cloud: WholeCloud) -> None:
    """Ports, volumes, a project's zones, credentials."""
    uuids = {name: kind.instance["uuid"] for name, kind in cloud.kinds.items()}
    demo = cloud.keystone.projects["demo"]
    network = cloud.neutron.make("network", project_id=demo)["id"]
    cloud.neutron.make("subnet", network_id=network, cidr="10.0.0.0/24", ip_version=4)
    for name, details in (("plain", None), ("image", None), ("image", SRIOV)):
        _port(cloud, network, uuids[name], details)
    time.sleep(1.1)  # Neutron's `created_at` has seconds, and order is by it
    _port(cloud, network, uuids["image"], SRIOV | {"dynamic_pkey": "0x8003"})
    created = [[uuid, "create"] for uuid in uuids.values()]
    cloud.inside("nova", {"volumes": {uuids["volume"]: VOLUME}, "actions": created})
    copied = {TRAIT: "required"}
    cloud.inside("cinder", [{"id": VOLUME, "project_id": demo, "bootable": True, "image": copied}])
    for project, user in ((demo, "me"), (cloud.keystone.projects["service"], "not me")):
        blob = json.dumps({"user": user})
        _keystone(cloud, "POST", "/credentials", "credential", project_id=project, blob=blob)


def _port(cloud: WholeCloud, network: str, device: str, details: Any) -> None:
    more = {"description": json.dumps(details)} if details else {}
    cloud.neutron.make(
        "port",
        network_id=network,
        device_id=device,
        device_owner="compute:nova",
        **{"binding:host_id": "compute-1"},
        **more,
    )


def _keystone(cloud: WholeCloud, method: str, path: str, key: str, **fields: Any) -> Any:
    url, headers = cloud.keystone.url, _admin(cloud.keystone)
    if key == "credential":
        me = requests.get(
            f"{url}/auth/tokens",
            headers={**headers, "X-Subject-Token": headers["X-Auth-Token"]},
            timeout=20,
        ).json()["token"]["user"]["id"]
        fields |= {"type": "cloudstor", "user_id": me}
    answer = requests.request(method, url + path, json={key: fields}, headers=headers, timeout=20)
    answer.raise_for_status()
    return answer.json()[key]


@pytest.fixture
def zones(cloud: WholeCloud) -> Any:
    """Sets the zones of the project `demo`."""

    def set_zones(listed: str) -> None:
        path = f"/projects/{cloud.keystone.projects['demo']}"
        _keystone(cloud, "PATCH", path, "project", compute_zones=listed)

    return set_zones


def _admin(keystone: Keystone) -> dict[str, str]:
    return {"X-Auth-Token": keystone.token("admin", "admin")}


def _section(name: str, options: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])
