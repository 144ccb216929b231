"""Firstlight beside the cloud: its vendordata service with dpm_nics, its metadata service."""

import hashlib
import hmac
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from cloud import ini
from cloud.compute import SECRET
from cloud.page import ROOT
from cloud.program import Program
from cloud.walk import PATIENCE
from cloud.whole import Cloud
from lab.uwsgi import HOST
from support.parts import absent
from support.servers.databases import eventually, free_port

FIRSTLIGHT = ROOT / ".venv" / "bin" / "firstlight"


class Answering:
    """The metadata service, as Neutron's metadata agent asks it for a server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, server: Any, path: str) -> Any:
        """The JSON value at this path below ``/openstack/latest`` that the server is told."""
        answer = requests.get(
            f"{self._url}/openstack/latest/{path}", headers=_signed(server), timeout=60
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def answering(cloud: Cloud, hosts: Sequence[Path]) -> Iterator[Answering]:
    """Both services until the block ends; `hosts` are the nova.conf of a host on each machine."""
    if not FIRSTLIGHT.exists():
        absent(f"no {FIRSTLIGHT}; make .venv first")
    room = cloud.ground.room("firstlight")
    told, asked = free_port(), free_port()
    vendordata = ini.write(room / "vendordata.conf", _vendordata(cloud, told, hosts))
    metadata = ini.write(room / "metadata.conf", _metadata(cloud, asked, told))
    programs = [
        _firstlight(room, "vendordata", vendordata),
        _firstlight(room, "metadata", cloud.compute.conf, metadata),
    ]
    try:
        for program, port in zip(programs, (told, asked), strict=True):
            program.start()
            assert eventually(lambda port=port: _answers(port), PATIENCE), program.said()
        yield Answering(f"http://{HOST}:{asked}")
    finally:
        for program in programs:
            program.kill()


def _firstlight(room: Path, command: str, *files: Path) -> Program:
    words = [word for file in files for word in ("--config-file", str(file))]
    return Program([FIRSTLIGHT, command, *words], room, command, variables=dict(os.environ))


def _vendordata(cloud: Cloud, port: int, hosts: Sequence[Path]) -> ini.Sections:
    return {
        "DEFAULT": {"listen": HOST, "port": str(port), "providers": "dpm_nics"},
        "firstlight": {"status_port": str(free_port()), "required_roles": "service"},
        "keystone_authtoken": cloud.ground.user("vendordata"),
        "service_auth": cloud.ground.user("vendordata"),
        "provider:dpm_nics": {"config_files": ",".join(map(str, hosts))},
    }


def _metadata(cloud: Cloud, port: int, vendordata: int) -> ini.Sections:
    return {
        "DEFAULT": {"metadata_listen": HOST, "metadata_listen_port": str(port)},
        "firstlight": {"status_port": str(free_port())},
        "api": {
            "vendordata_providers": "DynamicJSON",
            "vendordata_dynamic_targets": (
                f"dpm_nics@http://{HOST}:{vendordata}/providers/dpm_nics"
            ),
        },
        "vendordata_dynamic_auth": cloud.ground.user("nova"),
    }


def _signed(server: Any) -> dict[str, str]:
    signature = hmac.new(SECRET.encode(), server.id.encode(), hashlib.sha256)
    return {
        "X-Instance-ID": server.id,
        "X-Instance-ID-Signature": signature.hexdigest(),
        "X-Tenant-ID": server.project_id,
        "X-Forwarded-For": "192.168.222.2",
    }


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://{HOST}:{port}/", timeout=60).status_code < 500
    except requests.ConnectionError:
        return False
