"""The cloud that the tools ask, and the guest's namespace in it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from guest_tools.hardware import DATA
from guest_tools.pythons import ROOT, Guest
from guests.cloud import INSTANCE, Cloud, add_instance, cloud
from guests.net import METADATA, network
from support.parts import need

# mlnx_sriov is a bare object, as pcss-vendor-metadata answered; nobody is where `silent` should be.
_TARGETS = """
[api]
vendordata_dynamic_targets =
    mlnx_sriov@http://127.0.0.1:9090/providers/static_map,
    silent@http://127.0.0.1:9091
"""
_RULES = [{"match": {"metadata": {"role": "web"}}, "data": DATA}]


class Site(NamedTuple):
    """The cloud, and the private key of the guest's owner."""

    cloud: Cloud
    key: Path

    def inside(
        self, guest: Guest, *words: object, **more: object
    ) -> subprocess.CompletedProcess[str]:
        """What `firstlight-guest WORDS` does in the guest."""
        return guest.run(*words, before=self.cloud.net.guest.command())

    def ip(self, words: str) -> None:
        """Change the guest's network."""
        subprocess.run(["ip", "-n", self.cloud.net.guest.name, *words.split()], check=True)

    def firstlight(self, *words: str) -> None:
        """The operator's command, where it reaches the vendordata service."""
        conf = self.cloud.home / "metadata.conf"
        command = self.cloud.net.service.command("firstlight", *words, "--config-file", conf)
        path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PATH": path})


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The cloud whose server has one network and an RSA key."""
    home = tmp_path_factory.mktemp("cloud")
    key = home / "key"
    subprocess.run(
        [need("ssh-keygen"), "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", key],
        check=True,
    )
    document = yaml.safe_load((ROOT / "tests/guests/guest.yaml").read_text())
    document["keypair"]["public_key"] = key.with_suffix(".pub").read_text().strip()
    document["interfaces"] = document["interfaces"][:1]
    (home / "server.yaml").write_text(yaml.safe_dump(document))
    with network() as net, cloud(net, "signed", home, _TARGETS) as running:
        (home / "static_map.yaml").write_text(yaml.safe_dump(_RULES))
        site = Site(running, key)
        site.firstlight("instance", "remove", INSTANCE)
        add_instance(home, home / "server.yaml")
        yield site


@contextmanager
def without(site: Site, kind: str, what: str) -> Iterator[None]:
    """An address or a route of the guest is not there in this block."""
    site.ip(f"{kind} del {what}")
    try:
        yield
    finally:
        site.ip(f"{kind} add {what}")
        if kind == "address":
            site.ip(f"route add {METADATA}/32 via 10.0.0.2")
