"""Providers made as the service makes them, with stand-ins for all that they ask.

A conftest.py or a test module takes the fixtures by importing them.
"""

from collections.abc import Callable, Iterator
from functools import cache
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from oslo_config import cfg

from firstlight import conf
from firstlight.vendordata.clients import ConfiguredClients
from firstlight.vendordata.contract import Provider
from firstlight.vendordata.loading import load_providers
from firstlight.vendordata.testing import a_context
from support.cloud.stand_ins import (
    SRIOV,
    CloudStandIn,
    VaultStandIn,
    cloud_section,
    cloud_stand_in,
    vault_section,
    vault_stand_in,
)

KNOWN = a_context()
PROJECT, INSTANCE, IMAGE = KNOWN.project_id, KNOWN.instance_id, KNOWN.image_id
TRAIT = "trait:CUSTOM_NECTAR_WINDOWS"
VOLUME = "3f1c7c67-0000-4000-8000-000000000001"

VALUES = {
    "LICENSE_TOKEN_ARDC": "ardc-token",
    "LICENSE_TOKEN_MONASH": "monash-token",
    "WINDOWS_PRODUCT_KEY_QH2-RCC12": "AAAAA-BBBBB",
    "CROWDSTRIKE_MELBOURNE-QH2_CID": "CID-1",
    "CROWDSTRIKE_MELBOURNE-QH2_PROVISIONING_TOKEN": "prov-1",
    "CROWDSTRIKE_MELBOURNE-QH2_TAGS": "tag1,tag2",
    "CROWDSTRIKE_MELBOURNE-QH2_INSTALLER_URL_DEB": "https://x/deb",
    "CROWDSTRIKE_MELBOURNE-QH2_INSTALLER_URL_RPM": "https://x/rpm",
}


def port(number: int, details: Any) -> dict[str, Any]:
    return {
        "id": f"port-{number}",
        "device_id": INSTANCE,
        "created_at": f"2026-01-0{number}T00:00:00Z",
        "mac_address": f"fa:16:3e:00:00:0{number}",
        "binding:vif_details": details,
    }


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[CloudStandIn, VaultStandIn]]:
    with cloud_stand_in() as cloud, vault_stand_in() as vault:
        yield cloud, vault


@pytest.fixture
def cloud(servers: tuple[CloudStandIn, VaultStandIn]) -> CloudStandIn:
    cloud, _ = servers
    cloud.forget()
    cloud.projects[PROJECT] = {"id": PROJECT, "name": "demo"}
    cloud.servers[INSTANCE] = {
        "id": INSTANCE,
        "tenant_id": PROJECT,
        "OS-EXT-SRV-ATTR:host": "qh2-rcc12",
        "OS-EXT-AZ:availability_zone": "melbourne-qh2",
        "os-extended-volumes:volumes_attached": [{"id": VOLUME}],
    }
    cloud.images[IMAGE] = {"id": IMAGE, TRAIT: "required"}
    cloud.volumes[VOLUME] = {
        "id": VOLUME,
        "bootable": "true",
        "volume_image_metadata": {TRAIT: "required"},
    }
    # Not in the order of their creation.
    cloud.ports = [port(3, SRIOV | {"dynamic_pkey": "0x8003"}), port(1, {}), port(2, SRIOV)]
    cloud.credentials = [
        {"id": "c0", "type": "cloudstor", "project_id": "another", "blob": '{"user": "x"}'},
        {"id": "c1", "type": "cloudstor", "project_id": PROJECT, "blob": '{"user": "me"}'},
        {"id": "c2", "type": "cloudstor", "project_id": PROJECT, "blob": '{"user": "2nd"}'},
    ]
    return cloud


@pytest.fixture
def vault(servers: tuple[CloudStandIn, VaultStandIn]) -> VaultStandIn:
    _, vault = servers
    vault.forget()
    vault.keys = dict(VALUES)
    return vault


@cache
def loaded(text: str) -> cfg.ConfigOpts:
    """A configuration is read once; what is made of it is made anew."""
    with NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        return conf.load("vendordata", [file.name])


Made = Callable[..., Provider]


@pytest.fixture
def made(cloud: CloudStandIn, vault: VaultStandIn) -> Iterator[Made]:
    """Makes a provider as the service does, from a file with these options of its section."""
    opened: list[ConfiguredClients] = []

    def make(name: str, options: str = "", more: str = "", *, url: str = cloud.url) -> Provider:
        text = (
            f"[DEFAULT]\nproviders = {name}\n[provider:{name}]\n{options}\n{more}\n"
            + cloud_section(url)
            + vault_section(vault)
        )
        opened.append(ConfiguredClients(loaded(text)))
        return load_providers(loaded(text), opened[-1])[name]

    yield make
    for clients in opened:
        clients.close()


def said(provider: Provider, **known: Any) -> Any:
    return provider.provide(a_context(**known))
