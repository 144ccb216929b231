"""From a port's binding in Neutron to virtual functions in a guest, nothing left out.

Real Neutron, our vendordata service, our metadata service on Nova's databases, and the guest tools
in a network namespace of their own. What stands where Neutron's agent would signs, and no more.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from conformance.processes import running
from guest_tools.hardware import Hardware, coloned, hardware, port
from guest_tools.pythons import ROOT, Guest
from guests.net import METADATA, Net, network
from lab.asking import Client, signed
from lab.kinds.kind import Kind
from lab.nova import SECRET
from lab.providers.conftest import PATIENT, WholeCloud
from support.cloud.stand_ins import SRIOV
from support.providers.vendordata_service import Serve


@pytest.fixture
def metadata(serve: Serve, cloud: WholeCloud, tmp_path: Path) -> Iterator[int]:
    """Our metadata service, which asks our vendordata service with Nova's token; its port."""
    service = serve(
        "providers = mlnx_sriov", f"required_roles = service\n{cloud.sections()}", deadline=PATIENT
    )
    api = {
        "vendordata_providers": "DynamicJSON",
        "vendordata_dynamic_targets": f"mlnx_sriov@{service.url}/providers/mlnx_sriov",
        "vendordata_dynamic_connect_timeout": "30",
        "vendordata_dynamic_read_timeout": "30",
    }
    sections = {"vendordata_dynamic_auth": cloud.keystone.credentials("nova", "service")}
    neutron = cloud.keystone.credentials("admin", "admin")
    conf = cloud.nova.configure(api, sections=sections, **neutron)
    patient = tmp_path / "patient.conf"
    patient.write_text(f"[firstlight]\nvendordata_deadline = {PATIENT}\ndeadline = 40\n")
    with running("firstlight", tmp_path, tmp_path / "unused", [conf, patient]) as ours:
        yield ours.port


@contextmanager
def signing(net: Net, kind: Kind, service: int) -> Iterator[None]:
    """At the guest's 169.254.169.254: each question is passed on, signed for this server."""
    headers = signed(kind.instance["uuid"], kind.instance["project_id"], SECRET, "10.0.0.5")

    class Agent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with Client(service) as client:
                reply = client.ask(self.path, headers.items())
            self.send_response(reply.status or 500)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with net.service.call(ThreadingHTTPServer, (METADATA, 80), Agent) as agent:
        thread = Thread(target=agent.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            agent.shutdown()
            thread.join()


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """The tools as they are shipped."""
    maker = [sys.executable, ROOT / "guest" / "make_zipapp.py", tmp_path / "dist"]
    subprocess.run(maker, check=True, capture_output=True)
    return Guest(sys.executable, tmp_path / "dist" / "firstlight-guest.pyz")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Hardware]:
    """A machine with the adapter that the port in Neutron speaks of."""
    [guid] = SRIOV["physical_guids"]
    address = f"00:00:10:87:fe:80:00:00:00:00:00:00:{coloned(guid)}"
    with hardware(tmp_path, [port(0, address=address)]) as found:
        yield found


def test_a_port_becomes_functions(
    cloud: WholeCloud, metadata: int, guest: Guest, machine: Hardware
) -> None:
    """The GUIDs in the guest's adapter are those of the port's binding; a second run has nothing
    to do, and a server whose ports have no SR-IOV never has."""
    words = ("--root", machine.root, "sriov", "--wait", "100")
    with network() as net:
        with signing(net, cloud.kinds["plain"], metadata):
            nothing = guest.run(*words, before=net.guest.command())
        assert machine.writes() == []
        with signing(net, cloud.kinds["image"], metadata):
            first = guest.run(*words, before=net.guest.command())
            assert machine.writes() != []
            second = guest.run(*words, before=net.guest.command())
    assert [done.returncode for done in (nothing, first, second)] == [0, 0, 0], first.stderr
    assert nothing.stdout.startswith("nothing to do: ")
    assert first.stdout.startswith("vendor data: from the network\n")
    [guids] = SRIOV["virtual_guids"]
    assert machine.guids("ib0") == [("Follow", coloned(g), coloned(g)) for g in guids]
    assert machine.writes() == []
