"""Our drive beside the one that real Nova builds of the same server, file by file.

They differ in this, and nothing else:

================  ==============================================================================
``random_seed``   random, of the same form
requests          each target is called once per build: "config drive" in metadata-api §8
StaticJSON off    Nova builds no drive, ours has no ``vendor_data.json``; no client can have seen it
================  ==============================================================================
"""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest

from firstlight.cli import main
from lab.environment import NoLab, lab
from lab.kinds.kind import Kind
from lab.kinds.table import KINDS
from lab.recording import Lab, a_lab
from lab.settings import DEFAULT, DRESSED, DYNAMIC, REVERSED, Settings
from support.guests import drives
from support.parts import absent, need

FILES = {"/etc/motd": "hi\n", "C:\\boot.ini": "", "/größe": "ü"}
VIF = KINDS["full"].instance["interfaces"][0]["port_id"]
NODE = {
    "ports": [
        {"uuid": "port-1", "address": "52:54:00:00:00:01", "portgroup_uuid": "group-1"},
        {"uuid": "port-2", "address": "52:54:00:00:00:02", "portgroup_uuid": "group-1"},
        {"uuid": "port-3", "address": "52:54:00:00:00:03"},
    ],
    "portgroups": [
        {
            "uuid": "group-1",
            "address": "52:54:00:00:00:aa",
            "mode": "802.3ad",
            "properties": {"miimon": 100, "bond_xmit_hash_policy": "layer3+4"},
            "internal_info": {"tenant_vif_port_id": VIF},
        }
    ],
}
PHYSICAL = {
    "ports": [{"uuid": "p", "address": "52:54:00:00:00:04", "extra": {"vif_port_id": VIF}}],
    "portgroups": [{"uuid": "g", "address": None, "mode": "802.3ad", "properties": {}}],
}
_SEED = re.compile(rb'(?<="random_seed": ")[A-Za-z0-9+/]{683}=(?=")')


@pytest.fixture(scope="module")
def environment() -> Path:
    """The lab's virtual environment."""
    need("genisoimage")
    try:
        return lab()
    except NoLab as reason:
        absent(str(reason))


@pytest.fixture(scope="module")
def real(environment: Path) -> Iterator[Lab]:
    """Real Nova's databases with a server of every kind."""
    with a_lab(environment, KINDS.values()) as found:
        yield found


def configure(real: Lab, settings: Settings, home: Path) -> Path:
    """The nova.conf of these databases under these settings."""
    config = RawConfigParser()
    config.read(real.nova_conf)
    config["api"] = settings.api(home, config["neutron"]["endpoint_override"])
    with (home / "nova.conf").open("w") as file:
        config.write(file)
    return home / "nova.conf"


def novas(
    environment: Path, conf: Path, kinds: Mapping[str, Kind], home: Path, **more: Any
) -> dict[str, str | None]:
    """Nova's images, one for each kind by its name; by name, why there is none."""
    home.mkdir()
    asked = [
        {"files": {}, "admin_pass": None, "node": None, **more}
        | {"uuid": kind.instance["uuid"], "output": str(home / name)}
        for name, kind in kinds.items()
    ]
    done = subprocess.run(
        [
            environment / "bin" / "python",
            "-P",  # else the modules beside the script hide Nova's own
            Path(__file__).with_name("inside_nova_drive.py"),
            conf,
        ],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    errors = json.loads(done.stdout.splitlines()[-1])
    return {name: errors[kind.instance["uuid"]] for name, kind in kinds.items()}


def ours(conf: Path, kind: Kind, image: Path, *options: str) -> None:
    """Our image, from the nova.conf that Nova runs from."""
    words = ["config-drive", kind.instance["uuid"], "-o", str(image)]
    assert main([*words, "--config-file", str(conf), *options]) == 0


def read(image: Path) -> dict[str, bytes]:
    """A drive's files, their seeds marked."""
    copy = image.with_name(f"{image.name}.copy")
    copy.mkdir()
    return {path: _marked(body) for path, body in drives.rock_ridge(image, copy).items()}


def _marked(body: bytes) -> bytes:
    return _SEED.sub(b"SEED", body)


@pytest.fixture(scope="module")
def conf(real: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A nova.conf with default settings."""
    return configure(real, DEFAULT, tmp_path_factory.mktemp("conf"))


@pytest.fixture(scope="module")
def of_nova(environment: Path, conf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Nova's images of every kind are, under default settings."""
    home = tmp_path_factory.mktemp("nova") / "images"
    assert set(novas(environment, conf, KINDS, home).values()) == {None}
    return home


@pytest.mark.parametrize("name", KINDS)
def test_the_drive_is_novas(name: str, conf: Path, of_nova: Path, tmp_path: Path) -> None:
    """The same paths, the same bytes, the same names by every extension, the same label."""
    image = tmp_path / "ours"
    ours(conf, KINDS[name], image)
    theirs = read(of_nova / name)
    assert theirs
    assert read(image) == theirs
    assert drives.label(image) == drives.label(of_nova / name)
    for options in (("-R",), ("-J",), ()):
        mine, novas_own = (drives.listed(one, *options) for one in (image, of_nova / name))
        assert set(mine) == set(novas_own)


@pytest.mark.parametrize("node", [None, NODE, PHYSICAL], ids=["virtual", "bond", "physical"])
def test_what_is_handed_in_is_shown_as_nova_shows_it(
    node: dict[str, Any] | None, environment: Path, conf: Path, tmp_path: Path
) -> None:
    """Injected files, the administrator's password, and Ironic's bonds."""
    kinds = {name: KINDS[name] for name in ("full", "injected")}
    if node is not None:  # "injected" has no such port, and Nova takes no node without links
        del kinds["injected"]
    home, options = tmp_path / "nova", ["--admin-pass-file", str(tmp_path / "secret")]
    (tmp_path / "secret").write_text("pässword\n")
    for number, (path, content) in enumerate(FILES.items()):
        (tmp_path / str(number)).write_text(content)
        options += ["--file", f"{path}={tmp_path / str(number)}"]
    if node is not None:
        (tmp_path / "node.json").write_text(json.dumps(node))
        options += ["--bare-metal", str(tmp_path / "node.json")]
    made = novas(environment, conf, kinds, home, files=FILES, admin_pass="pässword", node=node)
    assert set(made.values()) == {None}
    for name, kind in kinds.items():
        ours(conf, kind, tmp_path / name, *options)
        assert read(tmp_path / name) == read(home / name)


@pytest.mark.parametrize("settings", [DRESSED, REVERSED], ids=lambda settings: settings.name)
def test_vendor_data_is_novas(
    settings: Settings, environment: Path, real: Lab, tmp_path: Path
) -> None:
    """Both kinds, in both orders, from thirteen targets, each asked in the same words."""
    kind, conf = KINDS["full"], configure(real, settings, tmp_path)
    assert novas(environment, conf, {"full": kind}, tmp_path / "nova") == {"full": None}
    requests = real.asked()
    ours(conf, kind, tmp_path / "ours")
    assert real.asked() == requests
    assert read(tmp_path / "ours") == read(tmp_path / "nova" / "full")


def test_without_static_json_only_ours_is_built(
    environment: Path, real: Lab, tmp_path: Path
) -> None:
    """Nova breaks at vendor_data.json; but for that, ours is what it would have been."""
    kind, conf = KINDS["full"], configure(real, DYNAMIC, tmp_path)
    made = novas(environment, conf, {"full": kind}, tmp_path / "nova")
    assert "vendor_data.json" in str(made["full"])
    ours(conf, kind, tmp_path / "ours")
    drive = read(tmp_path / "ours")
    assert not [path for path in drive if path.endswith("/vendor_data.json")]
    assert json.loads(drive["openstack/latest/vendor_data2.json"]) == DYNAMIC.targets


def test_ironic_gets_the_same_drive(conf: Path, of_nova: Path, tmp_path: Path) -> None:
    """gzip and base64, and in it the image."""
    ours(conf, KINDS["full"], tmp_path / "packed", "--ironic")
    packed = base64.b64decode((tmp_path / "packed").read_bytes(), validate=True)
    image = subprocess.run(["gzip", "-d"], input=packed, capture_output=True, check=True).stdout
    (tmp_path / "image").write_bytes(image)
    assert read(tmp_path / "image") == read(Path(shutil.copy(of_nova / "full", tmp_path)))
