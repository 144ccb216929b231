"""What `firstlight-guest sriov` does with other programs: Linux' own driver, and firmware."""

import json
from pathlib import Path

import pytest

from guest_tools.hardware import DATA, VIRTUAL, Hardware, coloned, function, hardware, port
from guest_tools.pythons import Guest

_FIRMWARE = """
Device #1:
----------
Device type:    ConnectX4
Configurations:                              Next Boot
         SRIOV_EN                            {enabled}
         NUM_OF_VFS                          {number}
"""


def program(root: Path, name: str, says: str = "") -> None:
    """A program that records how it was called, and prints `says` when it is asked something."""
    path = root / "usr/bin" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (root / f"{name}.says").write_text(says)
    path.write_text(
        f'#!/bin/sh\necho {name} "$@" >>{root}/calls\n'
        f'case "$*" in *show*|*query*) cat {root}/{name}.says ;; esac\n'
    )
    path.chmod(0o755)


def calls(root: Path) -> list[str]:
    """What was called, but for questions."""
    path = root / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if " show " not in line and " query " not in line]


class TestLinux:
    """Without Mellanox's directory in sysfs, GUIDs go through `ip link`."""

    def _run(self, guest: Guest, machine: Hardware, home: Path, shown: list[str]) -> str:
        latest = home / "openstack/latest"
        latest.mkdir(parents=True)
        (latest / "vendor_data2.json").write_text(json.dumps({"mlnx_sriov": DATA}))
        lines = [
            f"    vf {n} link/infiniband 00 brd 00, NODE_GUID {coloned(guid)}, "
            f"PORT_GUID {coloned(guid)}, link-state auto, trust off"
            for n, guid in enumerate(shown)
        ]
        program(machine.root, "ip", "2: ib0: <UP>\n" + "\n".join(lines) + "\n")
        options = ("--from", "drive", "--drive", home)
        done = guest.run("--root", machine.root, "sriov", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def test_sets(self, guest: Guest, tmp_path: Path) -> None:
        """Node and port GUID of each function, and its state; then the driver takes it anew."""
        with hardware(tmp_path / "a", [port(0, mellanox=False)]) as machine:
            self._run(guest, machine, tmp_path, [])
            assert machine.drivers("ib0") == ["mlx5_core"] * 2
            assert [line for line in machine.writes() if "/bind" in line]
            assert calls(machine.root) == [
                f"ip link set dev ib0 vf {n} {what}"
                for n in (0, 1)
                for what in (
                    f"node_guid {coloned(VIRTUAL[0][n])}",
                    f"port_guid {coloned(VIRTUAL[0][n])}",
                    "state auto",
                )
            ]

    def test_right(self, guest: Guest, tmp_path: Path) -> None:
        """What `ip` shows to be right is not touched."""
        there = [function(f"0000:3b:01.{n}", guid) for n, guid in enumerate(VIRTUAL[0])]
        with hardware(tmp_path / "a", [port(0, mellanox=False, functions=there)]) as machine:
            assert ": right, 2" in self._run(guest, machine, tmp_path, VIRTUAL[0])
            assert (machine.writes(), calls(machine.root)) == ([], [])


class TestFirmware:
    """`--enable-firmware`."""

    @pytest.mark.parametrize("tool", ["mlxconfig", "mstconfig"])
    @pytest.mark.parametrize(("enabled", "number"), [("False(0)", 0), ("True(1)", 8)])
    def test_enables(
        self, guest: Guest, tmp_path: Path, tool: str, enabled: str, number: int
    ) -> None:
        """An adapter that is not set so is set, by its PCI address; a restart is asked for."""
        with hardware(tmp_path, [port(0, total=None)]) as machine:
            program(machine.root, tool, _FIRMWARE.format(enabled=enabled, number=number))
            done = guest.run("--root", machine.root, "sriov", "--enable-firmware")
            assert (done.returncode, done.stderr) == (0, "")
            assert calls(machine.root) == [
                f"{tool} -y -d 0000:3b:00.0 set SRIOV_EN=1 NUM_OF_VFS=16"
            ]
        assert "restart the machine" in done.stdout

    def test_right(self, each_guest: Guest, tmp_path: Path) -> None:
        """An adapter that is set so is left alone."""
        with hardware(tmp_path, [port(0)]) as machine:
            program(machine.root, "mlxconfig", _FIRMWARE.format(enabled="True(1)", number=4))
            options = ("--enable-firmware", "--vfs", 4)
            done = each_guest.run("--root", machine.root, "sriov", *options)
            assert (done.stdout, calls(machine.root)) == ("0000:3b:00.0: right\n", [])

    def test_mst(self, guest: Guest, tmp_path: Path) -> None:
        """Where MFT makes devices of its own, those are used."""
        root = tmp_path / "root"
        program(root, "mst")
        program(root, "mlxconfig")
        (root / "dev/mst").mkdir(parents=True)
        for name in ("mt4115_pciconf0", "mt4115_pciconf0.1"):
            (root / "dev/mst" / name).touch()
        assert guest.run("--root", root, "sriov", "--enable-firmware").returncode == 0
        settings = "set SRIOV_EN=1 NUM_OF_VFS=16"
        assert calls(root) == ["mst start", f"mlxconfig -y -d /dev/mst/mt4115_pciconf0 {settings}"]

    def test_no_tool(self, guest: Guest, tmp_path: Path) -> None:
        """Without Mellanox's tools it fails and names them."""
        done = guest.run("--root", tmp_path, "sriov", "--enable-firmware")
        assert done.returncode == 1
        assert "mlxconfig" in done.stderr and "mstconfig" in done.stderr
