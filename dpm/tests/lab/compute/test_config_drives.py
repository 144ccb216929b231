"""Config drives in real Nova: what is on one, and that it goes with its server.

Cinder's and Glance's side is files here; lab/cloud/test_config_drives.py has real ones.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from firstlight_guest.dpm.nics import cards
from nova.tests.functional.api.client import OpenStackApiException

from firstlight_dpm.compute import config_drives
from nova_in_one_process import HOST, NOTHING, Cloud, one_process
from support.guests import drives

# What Nova warns of as it runs, in threads of its own, is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass
class Files:
    """Writes drives as files of a directory."""

    directory: Path
    connectors: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    #: ``write`` or ``remove`` fails, as if at the very end of its work.
    trouble: str = ""

    def write(self, drive: config_drives.Drive) -> None:
        """See Writer."""
        (self.directory / drive.name).write_bytes(drive.image.read_bytes())
        self.connectors[drive.server] = drive.connector
        self._end("write")

    def remove(self, name: str) -> None:
        """See Writer."""
        (self.directory / name).unlink(missing_ok=True)
        self._end("remove")

    def _end(self, work: str) -> None:
        if self.trouble == work:
            raise config_drives.DriveFailed("the array is out of order")

    def names(self) -> list[str]:
        """See Writer."""
        return sorted(path.name for path in self.directory.iterdir())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Where this cloud's drives are."""
    return Files(tmp_path_factory.mktemp("drives"))


@pytest.fixture(scope="module", params=["z13", "z17"])
def cloud(request: pytest.FixtureRequest, files: Files) -> Iterator[Cloud]:
    """One host with a writer; on a z13 guests learn of NICs only by such ways."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config_drives, "configured", lambda _: files)
        with one_process(request.param, guests_learn_nics=True) as cloud:
            yield cloud


@pytest.fixture(autouse=True)
def _nothing_left(cloud: Cloud, files: Files) -> Iterator[None]:
    yield
    files.trouble = ""
    cloud.flags(force_config_drive=False)
    assert cloud.left() == NOTHING
    assert files.names() == []


def test_what_is_on_it(cloud: Cloud, files: Files, tmp_path: Path):
    """Nova's documents, for this server, with every NIC as it is on the HMC; ports later than
    a command line has room for among them."""
    ports, volume = [cloud.port() for _ in range(13)], cloud.volume()
    server = cloud.make_server(ports, volume, config_drive=True)
    assert server["config_drive"] == "True"
    (name,) = files.names()
    assert name == f"{cloud.partition().name}-config-2"
    # Of a volume that Nova knows, it says where the guest is meant to see it.
    boot = cloud.connector(volume)
    assert files.connectors[server["id"]] | {"device": boot["device"]} == boot

    assert drives.label(files.directory / name) == "config-2"
    found = drives.rock_ridge(files.directory / name, tmp_path / "drive")
    told = json.loads(found["openstack/latest/meta_data.json"])
    assert (told["uuid"], told["name"]) == (server["id"], server["name"])
    assert told["admin_pass"]
    links = json.loads(found["openstack/latest/network_data.json"])["links"]
    assert {link["vif_id"] for link in links} == set(ports)

    nics = [nic.properties for nic in cloud.partition().nics.list()]
    assert {
        f"OpenStack_Port_{one['port_id']}": (card.devno, card.mac)
        for one, card in zip(told["dpm_nics"], cards(told["dpm_nics"]), strict=True)
    } == {
        nic["name"]: (
            nic["device-number"].lower(),
            cloud.neutron._ports[nic["name"].removeprefix("OpenStack_Port_")]["mac_address"],
        )
        for nic in nics
    }
    assert {one["network_id"] for one in told["dpm_nics"]} == {cloud.neutron.network_1["id"]}
    cloud._delete_server(server)


def test_none_unless_asked_for(cloud: Cloud, files: Files):
    """A server that needs none has none."""
    server = cloud.make_server([], cloud.volume())
    assert files.names() == []
    cloud._delete_server(server)


def test_forced(cloud: Cloud, files: Files):
    """force_config_drive gives every new server one, which it has for good: once it has been
    shelved, another is written."""
    cloud.flags(force_config_drive=True)
    server = cloud.make_server([], cloud.volume())
    cloud.flags(force_config_drive=False)
    (name,) = files.names()
    cloud.api.post_server_action(server["id"], {"shelve": {}})
    cloud._wait_for_state_change(server, "SHELVED_OFFLOADED")
    assert files.names() == []
    cloud.api.post_server_action(server["id"], {"unshelve": None})
    cloud._wait_for_state_change(server, "ACTIVE")
    assert files.names() == [name]
    cloud._delete_server(server)


def test_not_written(cloud: Cloud, files: Files):
    """A drive that is not written makes no server, and leaves nothing, not even of itself."""
    files.trouble = "write"
    server = cloud.ended_server([cloud.port()], cloud.volume(), config_drive=True)
    assert server["status"] == "ERROR"
    assert cloud.left() == NOTHING
    assert files.names() == []
    assert "the array is out of order" in cloud.log()
    cloud._delete_server(server)


def test_not_taken_away(cloud: Cloud, files: Files):
    """A server whose drive cannot be taken away keeps its partition, stopped, and its ports; it
    can be deleted again."""
    port = cloud.port()
    server = cloud.make_server([port], cloud.volume(), config_drive=True)
    files.trouble = "remove"
    with pytest.raises(OpenStackApiException):
        cloud.api.delete_server(server["id"])
    server = cloud._wait_for_state_change(server, "ERROR")
    assert cloud.partition().properties["status"] == "stopped"
    assert cloud.neutron._ports[port]["device_id"] == server["id"]
    files.trouble = ""
    cloud._delete_server(server)


def test_nobody_else_waits_for_it(cloud: Cloud, files: Files):
    """Servers without a drive come and go while drives cannot."""
    files.trouble = "remove"
    cloud._delete_server(cloud.make_server([], cloud.volume()))


def test_left_by_another_process(cloud: Cloud, files: Files):
    """A drive whose partition has gone goes once nova-compute has been started again."""
    uuid = "11111111-2222-4333-8444-555555555555"
    for name in (f"OpenStack-{HOST}-{uuid}-config-2", f"OpenStack-other-{uuid}-config-2", "mine"):
        (files.directory / name).touch()
    server = cloud.make_server([], cloud.volume(), config_drive=True)
    cloud.start_host(HOST)
    cloud._run_periodics()
    kept = [f"OpenStack-{HOST}-{server['id']}-config-2", f"OpenStack-other-{uuid}-config-2", "mine"]
    assert files.names() == sorted(kept)
    cloud._delete_server(server)
    for name in kept[1:]:
        (files.directory / name).unlink()
