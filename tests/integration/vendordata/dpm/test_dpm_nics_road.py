"""``dpm_nics`` on its whole road: from the HMC to what brings the cards up in a guest."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from firstlight_guest.dpm.nics import cards as read_by_the_guest

from firstlight.sources.store import Store
from firstlight.vendordata.contract import Provider
from guest_tools.dpm_stub import Stub
from guest_tools.pythons import ROOT
from support.cloud.dpm_partitions import MACS, PORTS, Site, told
from support.cloud.store_samples import server
from support.guests.drives import rock_ridge
from support.providers.made_providers import INSTANCE
from support.providers.vendordata_service import Serve
from support.relay.agent_process import FIRSTLIGHT, SERVICE, metadata_service, running
from support.servers.databases import eventually, free_port
from support.servers.metadata_service import signed

_TARGET = """
[api]
vendordata_providers = DynamicJSON
vendordata_dynamic_targets = dpm_nics@{url}/providers/dpm_nics
"""


def test_the_road(site: Site, serve: Serve, tmp_path: Path) -> None:
    """HMC, vendordata service, metadata service: a guest finds its cards in vendor_data2.json."""
    site.plug(0)
    site.plug(1, "osa-2", "1")
    service = serve(
        "auth_strategy = noauth\nproviders = dpm_nics",
        f"[provider:dpm_nics]\nconfig_files = {site.file}\nnetworks = false",
    )
    store = f"sqlite:///{tmp_path}/store.sqlite"
    opened = Store.open(store)
    opened.prepare()
    opened.add(server(uuid=INSTANCE, project_id="p"))
    opened.close()
    port = free_port()
    text = SERVICE.format(port=port, status=free_port(), store=store)
    text += _TARGET.format(url=service.url)

    url = f"http://127.0.0.1:{port}/openstack/latest/vendor_data2.json"

    def cards_told() -> Any:
        answer = requests.get(url, headers=signed(INSTANCE, secret="s3cret"), timeout=60).json()
        return answer.get("dpm_nics")

    with running(tmp_path, "metadata", text):
        assert eventually(lambda: bool(cards_told()), 60)  # a busy machine may be too late at first
        answer = cards_told()
    assert answer["nics"] == [
        {"devno": "0001", "port": 0, "mac": MACS[0], "port_id": PORTS[0]},
        {"devno": "0004", "port": 1, "mac": MACS[1], "port_id": PORTS[1]},
    ]
    brought_up = [str(card) for card in read_by_the_guest(answer)]
    assert brought_up == ["0001,0,fa163e000000;", "0004,1,fa163e000001;"]


def test_on_a_config_drive(site: Site, on: Callable[..., Provider], tmp_path: Path) -> None:
    """The same cards in meta_data.json of a config drive: the guest's tool brings them up."""
    site.plug(0)
    site.plug(1, "osa-2", "1")
    (tmp_path / "more.json").write_text(json.dumps({"dpm_nics": told(on(site.file))}))
    with metadata_service(tmp_path, server(uuid=INSTANCE)):
        words = ["config-drive", INSTANCE, "-o", "drive", "--config-file", "metadata.conf"]
        run([FIRSTLIGHT, *words, "--extra-metadata", "more.json"], tmp_path)
    rock_ridge(tmp_path / "drive", tmp_path / "mounted")
    guest = Stub(tmp_path / "root")
    guest.cmdline("")
    for name in ("chzdev", "ip"):
        guest.program(name)
    for devno in ("0001", "0004"):
        (guest.root / f"sys/bus/ccwgroup/devices/0.0.{devno}/net/enc{devno}").mkdir(parents=True)
    words = ["network", "--rest", "--from", "drive", "--drive", tmp_path / "mounted"]
    run([sys.executable, "-m", "firstlight_guest", "--root", guest.root, *words], ROOT / "guest")
    assert guest.calls() == [
        f"ip link set enc0001 address {MACS[0]}",
        f"ip link set enc0004 address {MACS[1]}",
    ]


def run(command: list[Any], directory: Path) -> None:
    """Run it to its end, which is a good one."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
