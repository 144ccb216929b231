"""A guest with our drive in it and our service on its network: both say the same.

It is a virtual machine, for each form of drive; and for each cloud-init a namespace with what was
on the drive.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guests.booting import PROMISED, CloudInit, boot, cloud_init, newest
from guests.cloud import INSTANCE, Cloud, cloud
from guests.net import network
from guests.virtual import Machine, Seen
from support.guests import drives

FORMS = ("iso9660", "vfat")
OF_THE_DISC = pytest.mark.parametrize("booted", ["iso9660"], indirect=True)
_FIRSTLIGHT = Path(sys.executable).parent / "firstlight"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the machine is made."""
    return tmp_path_factory.mktemp("virtual")


@pytest.fixture(scope="module")
def machine(home: Path) -> Machine:
    """A machine to be booted."""
    return Machine(home)


@pytest.fixture(scope="module")
def serving(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The cloud on its network."""
    with (
        network() as net,
        cloud(net, "remote-address", tmp_path_factory.mktemp("cloud")) as running,
    ):
        yield running


@pytest.fixture(scope="module", params=FORMS)
def booted(request: pytest.FixtureRequest, machine: Machine, serving: Cloud, home: Path) -> Seen:
    """The guest after its boot, one for each form of drive; the other has the newest cloud-init."""
    form = request.param
    debian: CloudInit = cloud_init(PROMISED) if form == "iso9660" else newest()
    (home / form).mkdir()
    drive = home / form / "disk.config"
    _build(serving, drive, form)
    return machine.boot(serving.net.guest, debian, drive, form, home / form)


def _build(serving: Cloud, drive: Path, form: str) -> None:
    conf = serving.home / "metadata.conf"
    command = serving.net.service.command(
        *(_FIRSTLIGHT, "config-drive", INSTANCE, "-o", drive, "--format", form),
        *("--config-file", conf),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_guest_mounts_the_drive(booted: Seen) -> None:
    """Linux reads every file that should be there."""
    paths = booted.below("drive")
    assert len(paths) == 49
    assert json.loads(paths["openstack/latest/meta_data.json"])["uuid"] == INSTANCE
    assert json.loads(paths["ec2/latest/meta-data.json"])["instance-type"] == "m1.small"


@OF_THE_DISC
def test_every_view_of_the_disc_is_the_same(booted: Seen) -> None:
    """With Rock Ridge, with Joliet and with neither; these last readers know no hyphen."""
    whole = booted.below("drive")
    assert booted.below("joliet") == whole
    plain = {path.replace("-", "_"): body for path, body in whole.items()}
    assert booted.below("plain") == plain


@OF_THE_DISC
def test_nobody_may_write(booted: Seen) -> None:
    """Rock Ridge says what genisoimage says for Nova: readable by everybody."""
    modes = booted.modes
    assert modes["drive/openstack/latest/user_data"] == 0o444
    assert modes["drive/openstack/latest"] == 0o555


def test_drive_and_network_agree(booted: Seen) -> None:
    """What the guest fetches over HTTP is what it finds on the drive, but for the random seed."""
    drive = {path: body for path, body in booted.below("drive").items() if path.startswith("open")}
    served = booted.below("http")
    assert drive.keys() == served.keys()
    assert {path: _lasting(body) for path, body in served.items()} == {
        path: _lasting(body) for path, body in drive.items()
    }


def test_cloud_init_learns_the_same_from_both(booted: Seen) -> None:
    """Its ConfigDrive datasource on the drive, and OpenStack over the network, agree in all."""
    drive, served = (
        json.loads(booted.files[f"{name}.json"]) for name in ("ConfigDrive", "OpenStack")
    )
    assert drive["found"], drive
    assert served["found"], served
    assert drive["complaints"] == served["complaints"] == []
    assert drive["instance_id"] == INSTANCE
    assert _facts(drive) == _facts(served)


def test_the_guests_own_tool_reads_both(booted: Seen) -> None:
    """``firstlight-guest get`` finds the drive and leaves no mount behind; or asks the network."""
    got = booted.below("get")
    assert got["errors"] == b""
    assert got["drive"] == booted.files["drive/openstack/latest/meta_data.json"]
    assert _lasting(got["network"]) == _lasting(got["drive"])
    assert got["value"].strip() == INSTANCE.encode()
    assert got["mounted"] == b"0\n"


def test_the_ec2_documents_agree(booted: Seen) -> None:
    """The drive's one JSON file says what the crawl of the tree finds, in its own types."""
    drive, served = (
        json.loads(booted.files[f"{name}.json"])["ec2_metadata"]
        for name in ("ConfigDrive", "OpenStack")
    )
    assert drive
    assert {name: _as_crawled(name, value) for name, value in drive.items()} == served


def test_every_cloud_init_reads_the_drive(
    serving: Cloud, debian: CloudInit, tmp_path: Path
) -> None:
    """The ConfigDrive datasource of each version, on what xorriso finds on a disc."""
    _build(serving, tmp_path / "disk.config", "iso9660")
    found = {}
    for name in ("ConfigDrive", "OpenStack"):
        home = tmp_path / name
        seed = home / "lib" / "seed" / "config_drive"
        seed.parent.mkdir(parents=True)
        if name == "ConfigDrive":
            drives.rock_ridge(tmp_path / "disk.config", seed)
        found[name] = boot(serving.net.guest, debian, name, home)
        assert found[name]["found"], found[name]
        assert found[name]["complaints"] == []
    assert found["ConfigDrive"]["datasource"] == "DataSourceConfigDrive"
    assert _facts(found["ConfigDrive"]) == _facts(found["OpenStack"])


def _as_crawled(name: str, value: Any) -> Any:
    """What cloud-init makes of a value that it finds leaf by leaf, as text."""
    if name == "public-keys":
        return {key["_name"].partition("=")[2]: key["openssh-key"] for key in value.values()}
    if isinstance(value, dict):
        return {key: _as_crawled(key, below) for key, below in value.items()}
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value
    return str(value)


def _facts(learned: dict[str, Any]) -> dict[str, Any]:
    """All but what must differ: where it came from, and the seed."""
    facts = {name: learned[name] for name in learned if name not in _OTHERWISE}
    metadata = {k: v for k, v in learned["metadata"].items() if k != "random_seed"}
    return facts | {"metadata": metadata}


_OTHERWISE = ("datasource", "address", "ec2_metadata", "metadata")


def _lasting(body: bytes) -> Any:
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if isinstance(value, dict):
        value.pop("random_seed", None)
    return value
