"""The tool that sets a MAC, on a stub root: Python and shell, row by row, the same."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from guest_tools.dpm_stub import MAC, SCRIPTS, Form, Stub, form_of, path, set_
from guest_tools.pythons import Guest
from support.parts import need

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


@pytest.mark.parametrize("digit", "26aeAE")
def test_setmac_local(form: Form, stub: Stub, digit: str) -> None:
    """Each of the four kinds of local unicast address is set, in either case."""
    stub.cmdline(f"0001,0,0{digit}0000000011;")
    assert form("setmac", path("0001", "enc1")).code == 0
    assert stub.calls() == [set_("enc1", f"0{digit.lower()}:00:00:00:00:11")]


@pytest.mark.parametrize("item", [f"0001,0,{MAC}00;", f"0001,0,{MAC[:-2]};", f"0001,0,{MAC}"])
def test_setmac_not_a_mac(form: Form, stub: Stub, item: str) -> None:
    """14 digits, 10, or no end: that is nobody's MAC, so nothing is told of the device."""
    stub.cmdline(f"{item} 0004,0;")
    ran = form("setmac", path("0001", "enc1"))
    assert (ran.code, stub.calls()) == (1, [])
    assert "nothing is told of 0.0.0001" in ran.said


def test_setmac_finds_ip(form: Form, stub: Stub) -> None:
    """udev gives no PATH: ip is looked for in /usr/sbin, then in /sbin; without it, nothing."""
    stub.cmdline(f"0001,0,{MAC};")
    there, older = stub.root / "usr/sbin/ip", stub.root / "sbin/ip"
    older.parent.mkdir()
    older.write_text(f"#!/bin/sh\necho older >>{stub.root}/calls\n")
    older.chmod(0o755)
    assert (form("setmac", path("0001", "enc1")).code, stub.calls()) == (0, [set_("enc1")])
    there.unlink()
    assert (form("setmac", path("0001", "enc1")).code, stub.calls()) == (0, ["older"])
    older.unlink()
    ran = form("setmac", path("0001", "enc1"))
    assert ran.code == 1
    assert "ip is not installed" in ran.said


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


@pytest.mark.parametrize(("code", "last"), [(0, "enc1 has MAC"), (7, "ip cannot give enc1")])
def test_setmac_tells_syslog(stub: Stub, guest: Guest, code: int, last: str) -> None:
    """udev throws away what is printed, so the tool that udev runs says it to syslog."""
    stub.program("ip", code)
    stub.program("logger")
    stub.cmdline(f"0001,0,{MAC};")
    form_of("sh", stub, guest)("setmac", path("0001", "enc1"))
    said = stub.calls()[-1]
    assert said.startswith(f"logger -t setmac.sh -- {last}")


@pytest.mark.parametrize("shell", ["sh", "busybox"])
def test_where_programs_and_files_are(stub: Stub, shell: str) -> None:
    """Below ROOT_DIR if it is set; without it, the machine's own, though there is no PATH."""
    stub.program("flock")
    words = [need("busybox"), "sh"] if shell == "busybox" else ["/bin/sh"]
    script = f'PATH=; . {SCRIPTS}/dpm_guest_image_tools_common; program flock; echo "$RUN"'
    for variables, root in (({"ROOT_DIR": str(stub.root)}, str(stub.root)), ({}, "")):
        done = subprocess.run([*words, "-c", script], env=variables, capture_output=True, text=True)
        found, run = done.stdout.splitlines()
        assert run == f"{root}/run/firstlight-guest"
        assert found in {f"{root}{place}/flock" for place in ("/usr/sbin", "/usr/bin", "/bin")}


def test_learnt_before_command_line(form: Form, stub: Stub) -> None:
    """What drive or vendor data told comes before the command line."""
    stub.cmdline(f"0001,0,{MAC};")
    stub.file("run/firstlight-guest/dpm_nics", "0001,0,0a0000000022;\n")
    assert form("setmac", path("0001", "enc1")).code == 0
    assert stub.calls() == [set_("enc1", "0a:00:00:00:00:22")]


@pytest.fixture
def both(stub: Stub, guest: Guest) -> Iterator[tuple[Form, Form]]:
    """The Python and the shell form, on one root."""
    yield form_of("python", stub, guest), form_of("sh", stub, guest)


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
