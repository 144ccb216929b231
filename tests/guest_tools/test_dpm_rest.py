"""What comes after the first card: the other cards, and storage."""

import json
from pathlib import Path

from guest_tools.dpm_stub import Stub
from guest_tools.pythons import Guest


class TestRest:
    """The second pass."""

    NICS = (
        {"devno": "0001", "port": 0, "mac": "0a:00:00:00:00:01", "network_id": "n", "port_id": "p"},
        {"devno": "00F7", "port": 1, "mac": "0A:00:00:00:00:F7", "vlan": 99},
    )

    def _drive(self, stub: Stub, meta: object, vendor: object = None) -> Path:
        stub.file("drive/openstack/latest/meta_data.json", json.dumps(meta))
        stub.file("drive/openstack/latest/vendor_data2.json", json.dumps(vendor or {}))
        for devno, name in (("0001", "enc1"), ("00f7", "encf7")):
            (stub.root / f"sys/bus/ccwgroup/devices/0.0.{devno}/net/{name}").mkdir(parents=True)
        stub.file("sys/class/net/enc1/address", "0a:00:00:00:00:01\n")
        return stub.root / "drive"

    def test_drive(self, each_guest: Guest, stub: Stub) -> None:
        """The drive's cards come up; a MAC that firmware has set is not set; setmac learns all."""
        stub.cmdline("0001,0,0a00000000ee;")
        drive = self._drive(stub, {"uuid": "6a1f", "dpm_nics": self.NICS})
        options = ("--from", "drive", "--drive", drive)
        done = each_guest.run("--root", stub.root, "network", "--rest", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert stub.calls() == [
            "ip link set encf7 address 0a:00:00:00:00:f7",
            "ip link add link encf7 name encf7.99 type vlan id 99",
        ]
        learnt = (stub.root / "run/firstlight-guest/dpm_nics").read_text()
        assert learnt == "0001,0,0a0000000001;\n00f7,1,99,0a00000000f7;\n"

    def test_vendor_data(self, guest: Guest, stub: Stub) -> None:
        """Without a word on the drive's meta data, vendor data is asked, one level down as well."""
        stub.cmdline("")
        vendor = {"cloud": {"dpm_nics": {"nics": self.NICS}}}
        drive = self._drive(stub, {"uuid": "6a1f"}, vendor)
        options = ("--from", "drive", "--drive", drive)
        assert guest.run("--root", stub.root, "network", "--rest", *options).returncode == 0
        assert stub.calls()[0] == "ip link set encf7 address 0a:00:00:00:00:f7"

    def test_nobody_to_ask(self, guest: Guest, stub: Stub) -> None:
        """If neither drive nor network can be asked, it says so with its own exit code."""
        stub.cmdline("")
        options = ("--from", "network", "--url", "http://127.0.0.1:1", "--wait", "0")
        assert guest.run("--root", stub.root, "network", "--rest", *options).returncode == 3

    def test_more_than_twelve(self, guest: Guest, stub: Stub) -> None:
        """The command line holds twelve cards; here are forty."""
        nics = [
            {"devno": f"{n:04x}", "port": 0, "mac": f"0a:00:00:00:00:{n:02x}"} for n in range(40)
        ]
        for n in range(40):
            name = f"sys/bus/ccwgroup/devices/0.0.{n:04x}/net/enc{n:x}"
            (stub.root / name).mkdir(parents=True)
        stub.cmdline("")
        stub.file("drive/openstack/latest/meta_data.json", json.dumps({"dpm_nics": nics}))
        options = ("--from", "drive", "--drive", stub.root / "drive")
        assert guest.run("--root", stub.root, "network", "--rest", *options).returncode == 0
        assert len(stub.calls()) == 40


class TestStorage:
    """Host bus adapters."""

    def _adapters(self, stub: Stub, **online: str) -> None:
        for name, value in online.items():
            bus_id = f"0.0.{name.removeprefix('x')}"
            stub.file(f"sys/bus/ccw/drivers/zfcp/{bus_id}/online", f"{value}\n")

    def test_brings_up_the_others(self, each_guest: Guest, stub: Stub) -> None:
        """The adapter of the start is left alone; the others come online, even without chzdev."""
        self._adapters(stub, x8000="1", x8001="0", x800a="0")
        (stub.root / "usr/sbin/chzdev").unlink()
        done = each_guest.run("--root", stub.root, "storage")
        assert done.returncode == 0, done.stdout
        base = stub.root / "sys/bus/ccw/drivers/zfcp"
        assert [
            (base / f"0.0.{n}/online").read_text()[0] for n in ("8000", "8001", "800a")
        ] == list("111")
        assert each_guest.run("--root", stub.root, "storage").stdout.count("online already") == 3

    def test_chzdev(self, guest: Guest, stub: Stub) -> None:
        """chzdev also takes the device off the kernel's list of those to ignore."""
        self._adapters(stub, x8001="0")
        online = f"{stub.root}/sys/bus/ccw/drivers/zfcp/0.0.8001/online"
        stub.program("chzdev", does=f"echo 1 >{online}")
        assert guest.run("--root", stub.root, "storage").returncode == 0
        assert stub.calls() == ["chzdev -e -a -y zfcp-host 0.0.8001"]

    def test_one_fails(self, guest: Guest, stub: Stub) -> None:
        """An adapter that fails is named; the next is tried."""
        self._adapters(stub, x8001="0", x8002="0")
        stub.program("chzdev", 3)
        done = guest.run("--root", stub.root, "storage")
        assert done.returncode == 1
        assert len(stub.calls()) == 2
        assert "0.0.8001: chzdev" in done.stdout
