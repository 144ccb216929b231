"""The network tool of DPM on a stub root: Python and shell, row by row, the same."""

import pytest

from guest_tools.dpm_stub import MAC, Form, Stub, form_of
from guest_tools.pythons import Guest


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
    assert form_of("busybox", stub, guest)("network").code == 0
    in_shell = stub.calls()
    assert form_of("python", stub, guest)("network").code == 0
    assert in_shell == stub.calls() != []


def test_what_it_says(form: Form, stub: Stub) -> None:
    """The lines that the old tool had in the journal."""
    stub.cmdline(f"0001,1,{MAC};")
    said = [line.rpartition(": ")[2] for line in form("network").said.splitlines()]
    assert said == ["Start", "Configuring dev_bus_id 0.0.0001 with port 1", "Finished with rc '0'"]


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


def test_module_is_missing(form: Form, stub: Stub) -> None:
    """A kernel that has no such module fails the tool, and no card is tried."""
    (stub.root / "sys/bus/ccwgroup/devices").rmdir()
    (stub.root / "sys/bus/ccwgroup").rmdir()
    stub.program("modprobe", 1)
    stub.cmdline("0004,1;")
    assert (form("network").code, stub.calls()) == (1, ["modprobe ccwgroup"])
