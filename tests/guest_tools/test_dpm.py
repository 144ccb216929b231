"""The DPM tools on a stub root: Python and shell, row by row, the same."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from guest_tools.pythons import ROOT, Guest
from parts import need

SCRIPTS = ROOT / "guest/firstlight_guest/files/bin"
MAC = "0a0000000011"


class Stub(NamedTuple):
    """A root with programs that only say how they were called."""

    root: Path

    def program(self, name: str, code: int = 0, does: str = "") -> None:
        """Have this program there; it ends with `code`."""
        path = self.root / "usr/sbin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>{self.root}/calls\n{does}\nexit {code}\n')
        path.chmod(0o755)

    def cmdline(self, text: str) -> None:
        """The kernel's command line."""
        self.file("proc/cmdline", f"{text}\n")

    def file(self, name: str, text: str = "") -> None:
        """Have this file there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def calls(self) -> list[str]:
        """What was called since the last look."""
        record = self.root / "calls"
        lines = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return lines


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    """With chzdev and ip, and the kernel's module for groups of channels."""
    made = Stub(tmp_path / "root")
    (made.root / "sys/bus/ccwgroup/devices").mkdir(parents=True)
    made.program("chzdev")
    made.program("ip")
    return made


class Ran(NamedTuple):
    code: int
    said: str


Form = Callable[..., Ran]


@pytest.fixture(params=["python", "sh"])
def form(request: pytest.FixtureRequest, stub: Stub, guest: Guest) -> Form:
    """Either tool by its name, in Python and in shell."""
    return _form(request.param, stub, guest)


def _form(kind: str, stub: Stub, guest: Guest) -> Form:
    def run(tool: str, *words: str) -> Ran:
        if kind == "python":
            done = guest.run("--root", stub.root, tool, *words)
        else:
            script = {"network": "autoconfigure_networking.sh", "setmac": "setmac.sh"}[tool]
            shell = [need("busybox"), "sh"] if kind == "busybox" else ["sh"]
            done = subprocess.run(
                [*shell, SCRIPTS / script, *words],
                env={"ROOT_DIR": str(stub.root), "PATH": os.environ["PATH"]},
                capture_output=True,
                text=True,
                timeout=60,
            )
        return Ran(done.returncode, done.stdout + done.stderr)

    return run


def up(devno: str, port: int) -> str:
    return f"chzdev -e -a -y qeth 0.0.{devno} layer2=1 portno={port}"


# Fragment of the command line, and what is configured. The first rows are those of the old tools.
ROWS = {
    f"0001,1,{MAC};": [up("0001", 1)],
    f"0001,1,{MAC}; 0004,0;": [up("0001", 1), up("0004", 0)],
    f"0001,0,{MAC};0004,0;": [up("0001", 0), up("0004", 0)],
    "0007,;": [],
    f"000d,2,{MAC};": [],
    "0010,1": [],
    f"000A,0,{MAC};": [up("000a", 0)],
    f"root=UUID=aa0001bb 0001,0,{MAC};": [up("0001", 0)],
    f"10001,0,{MAC};": [],
    f"quiet 0001,0,99,{MAC}; splash": [up("0001", 0)],
    f"0001,0,4095,{MAC};": [],
    f"0001,0,0000,{MAC};": [],
    f"0001,0,0099,{MAC};": [up("0001", 0)],
    f"0001,0,{MAC}00;": [],
    f"0001,0,{MAC[:-1]};": [],
    f"0001,0,{MAC};0001,1,{MAC};": [up("0001", 0)],
    f"x;0001,0,{MAC};y": [up("0001", 0)],
    f"a=0001,0,{MAC};": [],
    f"\t0001,0,{MAC};\n": [up("0001", 0)],
    "*;[0-9];0001,0;": [up("0001", 0)],
    "": [],
}


@pytest.mark.parametrize("fragment", ROWS)
def test_command_line(form: Form, stub: Stub, fragment: str) -> None:
    """What is configured, for each way to write it."""
    stub.cmdline(fragment)
    ran = form("network")
    assert (ran.code, stub.calls()) == (0, ROWS[fragment])
    assert "Finished with rc '0'" in ran.said


def test_busybox(stub: Stub, guest: Guest) -> None:
    """The shell of an initramfs reads the same."""
    stub.cmdline(" ".join(ROWS))
    assert _form("busybox", stub, guest)("network").code == 0
    in_shell = stub.calls()
    assert _form("python", stub, guest)("network").code == 0
    assert in_shell == stub.calls() != []


def test_existing_device(form: Form, stub: Stub) -> None:
    """What firmware or a former run has brought up is left alone; letters in either case."""
    (stub.root / "sys/bus/ccwgroup/devices/0.0.000a").mkdir()
    stub.cmdline(f"000A,0,{MAC};")
    ran = form("network")
    assert (ran.code, stub.calls()) == (0, [])
    assert "Interface for 0.0.000a already configured. Skipping." in ran.said


def test_failure_goes_on(form: Form, stub: Stub) -> None:
    """One card that fails does not keep the next from coming up; the end says so."""
    stub.program("chzdev", 5)
    stub.cmdline(f"000A,0,{MAC};0004,0;")
    ran = form("network")
    assert (ran.code, stub.calls()) == (1, [up("000a", 0), up("0004", 0)])
    assert "Finished with rc '1'" in ran.said


def test_znetconf(form: Form, stub: Stub) -> None:
    """Where s390-tools are older, znetconf does it."""
    (stub.root / "usr/sbin/chzdev").unlink()
    stub.program("znetconf")
    stub.cmdline("0004,1;")
    assert form("network").code == 0
    assert stub.calls() == ["znetconf -a 0.0.0004 -o portno=1 -o layer2=1"]


def test_no_tool(form: Form, stub: Stub) -> None:
    """Where there is neither, it fails and says what is missing."""
    (stub.root / "usr/sbin/chzdev").unlink()
    stub.cmdline("0004,1;")
    ran = form("network")
    assert ran.code == 1
    assert "znetconf is not installed" in ran.said


def test_module(form: Form, stub: Stub) -> None:
    """The kernel's module for groups of channels is loaded if it is not."""
    (stub.root / "sys/bus/ccwgroup/devices").rmdir()
    (stub.root / "sys/bus/ccwgroup").rmdir()
    stub.program("modprobe")
    stub.cmdline("0004,1;")
    assert form("network").code == 0
    assert stub.calls() == ["modprobe ccwgroup", up("0004", 1)]


def path(devno: str, name: str) -> str:
    return f"/devices/qeth/0.0.{devno}/net/{name}"


def set_(name: str, mac: str = "0a:00:00:00:00:11") -> str:
    return f"ip link set {name} address {mac}"


SETMAC = {
    (f"0001,0,{MAC};", path("0001", "enc1")): [set_("enc1")],
    (f"000A,0,{MAC.upper()};", path("000a", "enca")): [set_("enca")],
    (f"0004,0; 0001,1,{MAC};", path("0001", "enc1")): [set_("enc1")],
    (f"0001,0,99,{MAC};", path("0001", "enc1")): [
        set_("enc1"),
        "ip link add link enc1 name enc1.99 type vlan id 99",
    ],
    ("0004,0;", path("0004", "enc4")): [],  # legal, so it is no failure any more
}


@pytest.mark.parametrize("row", SETMAC, ids=" ".join)
def test_setmac(form: Form, stub: Stub, row: tuple[str, str]) -> None:
    """The MAC of the command line, for the device that udev names."""
    stub.cmdline(row[0])
    ran = form("setmac", row[1])
    assert (ran.code, stub.calls()) == (0, SETMAC[row]), ran.said


@pytest.mark.parametrize(
    "device",
    [
        "/devices/virtual/net/lo",
        path("0009", "enc9"),
        path("0001", "an-interface-too-long"),
        path("001", "enc1"),
        "0.1.0001",
        "",
    ],
)
def test_setmac_refuses(form: Form, stub: Stub, device: str) -> None:
    """A device that is none, or of which nothing is told: exit code 1, and nothing is done."""
    stub.cmdline(f"0001,0,{MAC};")
    ran = form("setmac", device)
    assert (ran.code, stub.calls()) == (1, [])
    assert ran.said


@pytest.mark.parametrize("digit", "014589bdfc37")
def test_setmac_local_only(form: Form, stub: Stub, digit: str) -> None:
    """An OSA card takes local unicast addresses only, so no other is tried."""
    stub.cmdline(f"0001,0,0{digit}0000000011;")
    ran = form("setmac", path("0001", "enc1"))
    assert (ran.code, stub.calls()) == (1, [])
    assert "no local unicast address" in ran.said


def test_setmac_bus_id(form: Form, stub: Stub) -> None:
    """A bus id will do: the interface is the one that the device has."""
    stub.cmdline(f"000a,0,{MAC};")
    (stub.root / "sys/bus/ccwgroup/devices/0.0.000a/net/enca").mkdir(parents=True)
    assert (form("setmac", "0.0.000A").code, stub.calls()) == (0, [set_("enca")])


def test_setmac_right_already(form: Form, stub: Stub) -> None:
    """A MAC that firmware has set is not set again."""
    stub.cmdline(f"0001,0,{MAC};")
    stub.file("sys/class/net/enc1/address", "0a:00:00:00:00:11\n")
    assert (form("setmac", path("0001", "enc1")).code, stub.calls()) == (0, [])


def test_setmac_fails(form: Form, stub: Stub) -> None:
    """If ip fails, the exit code is 1 and the log says so, whatever ip's own code is."""
    stub.program("ip", 7)
    stub.cmdline(f"0001,0,{MAC};")
    ran = form("setmac", path("0001", "enc1"))
    assert ran.code == 1
    assert "ip" in ran.said and "enc1" in ran.said


def test_learnt_before_command_line(form: Form, stub: Stub) -> None:
    """What drive or vendor data told comes before the command line."""
    stub.cmdline(f"0001,0,{MAC};")
    stub.file("run/firstlight-guest/dpm_nics", "0001,0,0a0000000022;\n")
    assert form("setmac", path("0001", "enc1")).code == 0
    assert stub.calls() == [set_("enc1", "0a:00:00:00:00:22")]


@pytest.fixture
def both(stub: Stub, guest: Guest) -> Iterator[tuple[Form, Form]]:
    """The Python and the shell form, on one root."""
    yield _form("python", stub, guest), _form("sh", stub, guest)


@pytest.mark.parametrize(
    ("tool", "program", "word"),
    [("network", "chzdev", ()), ("setmac", "ip", (path("0001", "enc1"),))],
)
def test_never_overlap(
    both: tuple[Form, Form], stub: Stub, tool: str, program: str, word: tuple[str, ...]
) -> None:
    """Runs for one device wait for each other, across both forms."""
    inside = stub.root / "inside"
    does = f"mkdir {inside} || echo overlap >>{stub.root}/calls; sleep 0.3; rmdir {inside}"
    stub.program(program, does=does)
    stub.cmdline(f"0001,0,{MAC};")
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(form, tool, *word) for form in both * 2]
        assert [run.result().code for run in runs] == [0] * 4
    calls = stub.calls()
    assert len(calls) == 4
    assert "overlap" not in calls


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
