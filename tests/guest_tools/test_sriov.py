"""`firstlight-guest sriov` on a sysfs that behaves as the kernel's: real writes, real refusals."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from guest_tools.hardware import DATA, PHYSICAL, VIRTUAL, coloned, function, hardware, port
from guest_tools.pythons import Guest


def drive(home: Path, data: Any) -> Path:
    """A config drive's tree whose vendor data is this."""
    latest = home / "drive/openstack/latest"
    latest.mkdir(parents=True, exist_ok=True)
    (latest / "meta_data.json").write_text('{"uuid": "6a1f"}')
    (latest / "vendor_data2.json").write_text(json.dumps(data))
    return home / "drive"


def told(home: Path, data: Any = None) -> list[object]:
    """The options by which the tool is told this answer of mlnx_sriov."""
    answer = DATA if data is None else data
    return ["--from", "drive", "--drive", drive(home, {"mlnx_sriov": answer})]


def follow(*guids: str) -> list[tuple[str, str, str]]:
    return [("Follow", coloned(guid), coloned(guid)) for guid in guids]


def present(first: str, guids: list[str]) -> list[dict[str, str]]:
    return [function(f"0000:3b:{first}.{n}", guid) for n, guid in enumerate(guids)]


class TestBoots:
    """What happens from one start to the next."""

    def test_first(self, each_guest: Guest, tmp_path: Path) -> None:
        """Every port gets the functions that vendor data wants, and the driver takes them anew."""
        with hardware(tmp_path, [port(0), port(1)]) as machine:
            done = each_guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert (done.returncode, done.stderr) == (0, "")
            assert machine.guids("ib0") == follow(*VIRTUAL[0])
            assert machine.guids("ib1") == follow(*VIRTUAL[1])
            assert machine.drivers("ib0") == machine.drivers("ib1") == ["mlx5_core"] * 2
            writes = machine.writes()
        assert [line for line in writes if line.startswith("mlx5_core")] == [
            f"mlx5_core/{verb} 0000:3b:{base}.{n} ok"
            for base in ("01", "05")
            for verb in ("unbind", "bind")
            for n in (0, 1)
        ]
        assert writes[0] == "0000:3b:00.0/sriov_numvfs 2 ok"
        assert all(line.endswith(" ok") for line in writes)

    def test_second(self, each_guest: Guest, tmp_path: Path) -> None:
        """What is right is not touched: not one write."""
        with hardware(tmp_path, [port(0), port(1)]) as machine:
            each_guest.run("--root", machine.root, "sriov", *told(tmp_path))
            machine.writes()
            done = each_guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert (done.returncode, machine.writes()) == (0, [])
        assert done.stdout.count(": right, 2 virtual functions wanted") == 2

    def test_dry_run(self, each_guest: Guest, tmp_path: Path) -> None:
        """--dry-run says what would be done, and writes nothing."""
        with hardware(tmp_path, [port(0)]) as machine:
            done = each_guest.run("--root", machine.root, "sriov", "--dry-run", *told(tmp_path))
            assert (done.returncode, machine.writes()) == (0, [])
        assert "would change" in done.stdout
        assert "virtual functions: 0 -> 2" in done.stdout
        assert f"function 1: GUID {VIRTUAL[0][1]}" in done.stdout

    def test_changed_guid(self, guest: Guest, tmp_path: Path) -> None:
        """Of two functions only the one whose GUID changed is set and bound anew."""
        there = present("01", [VIRTUAL[0][0], "00000000000000aa"])
        with hardware(tmp_path, [port(0, functions=there)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert done.returncode == 0, done.stderr
            assert machine.guids("ib0") == follow(*VIRTUAL[0])
            assert machine.writes() == [
                "0000:3b:00.0/sriov/1/policy Follow ok",
                f"0000:3b:00.0/sriov/1/node {coloned(VIRTUAL[0][1])} ok",
                f"0000:3b:00.0/sriov/1/port {coloned(VIRTUAL[0][1])} ok",
                "mlx5_core/unbind 0000:3b:01.1 ok",
                "mlx5_core/bind 0000:3b:01.1 ok",
            ]

    @pytest.mark.parametrize("before", [1, 3])
    def test_changed_number(self, guest: Guest, tmp_path: Path, before: int) -> None:
        """Another number goes through 0, which is the only way that the kernel takes."""
        there = present("01", [f"00000000000000a{n}" for n in range(before)])
        with hardware(tmp_path, [port(0, functions=there)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert done.returncode == 0, done.stderr
            assert machine.guids("ib0") == follow(*VIRTUAL[0])
            numbers = [line for line in machine.writes() if "numvfs" in line]
        assert numbers == [f"0000:3b:00.0/sriov_numvfs {number} ok" for number in (0, 2)]

    def test_nothing_binds_by_itself(self, guest: Guest, tmp_path: Path) -> None:
        """Functions that no driver took by itself are bound, and not unbound before."""
        with hardware(tmp_path, [port(0, bare=True)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert done.returncode == 0, done.stderr
            assert machine.drivers("ib0") == ["mlx5_core"] * 2
            assert not [line for line in machine.writes() if "unbind" in line]

    def test_none_wanted(self, guest: Guest, tmp_path: Path) -> None:
        """An empty list for a port means no functions there."""
        data = DATA | {"virtual_guids": [[], []]}
        with hardware(tmp_path, [port(0, functions=present("01", ["0" * 15 + "a"]))]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path, data))
            assert done.returncode == 0, done.stderr
            assert machine.writes() == ["0000:3b:00.0/sriov_numvfs 0 ok"]


class TestOthers:
    """What is not ours."""

    def test_functions_of_another_port(self, guest: Guest, tmp_path: Path) -> None:
        """A port that vendor data does not mention keeps its functions, bound as they are."""
        others = [
            function("0000:3b:09.0", "0" * 15 + "a"),
            function("0000:3b:09.1", "0" * 15 + "b"),
        ]
        others[1]["driver"] = "vfio-pci"
        with hardware(tmp_path, [port(0), port(2, functions=others)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert done.returncode == 0, done.stderr
            assert machine.drivers("ib2") == ["mlx5_core", "vfio-pci"]
            written = machine.writes()
        assert not [line for line in written if "0000:3b:00.2" in line or "0000:3b:09" in line]
        assert "ib2 (0000:3b:00.2), GUID 04bd700300374499: not mentioned" in done.stdout

    def test_function_in_use(self, guest: Guest, tmp_path: Path) -> None:
        """A function that was given to a virtual machine is not taken back: nothing is written."""
        there = [function("0000:3b:01.0", "0" * 15 + "a", "vfio-pci")]
        with hardware(tmp_path, [port(0, functions=there)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert (done.returncode, machine.writes()) == (1, [])
        assert "0000:3b:01.0) is in use by vfio-pci" in done.stdout

    def test_other_hardware(self, guest: Guest, tmp_path: Path) -> None:
        """Other vendors' cards are not looked at; Mellanox' Ethernet is named and left alone."""
        ethernet = port(1) | {"interface": "eth1", "address": "b8:59:9f:00:00:01"}
        intel = port(2) | {"interface": "eth2", "vendor": "0x8086"}
        with hardware(tmp_path, [port(0), ethernet, intel]) as machine:
            done = guest.run("--root", machine.root, "sriov", "--json", *told(tmp_path))
            assert done.returncode == 0, done.stderr
            assert all("00.0" in x or "mlx5" in x for x in machine.writes())
        report = json.loads(done.stdout)
        assert [each["interface"] for each in report["skipped"]] == ["eth1"]
        assert {each["result"] for each in report["ports"]} == {"changed", "not in this machine"}


class TestFailures:
    """A port either becomes right or stays as it was."""

    def test_too_many(self, guest: Guest, tmp_path: Path) -> None:
        """More functions than the port can have: said before anything is written."""
        with hardware(tmp_path, [port(0, total=1), port(1)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert done.returncode == 1
            assert machine.guids("ib1") == follow(*VIRTUAL[1])  # the other is done all the same
            assert not [line for line in machine.writes() if line.startswith("0000:3b:00.0")]
        assert "2 virtual functions are wanted, but it can have 1" in done.stdout

    def test_no_total(self, guest: Guest, tmp_path: Path) -> None:
        """Firmware without SR-IOV: the message says what to do."""
        with hardware(tmp_path, [port(0, total=None)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert (done.returncode, machine.writes()) == (1, [])
        assert "sriov_totalvfs" in done.stdout
        assert "--enable-firmware" in done.stdout

    @pytest.mark.parametrize(
        "failure",
        [
            r"sriov_numvfs 2",
            r"sriov/1/policy",
            r"sriov/0/node",
            r"sriov/1/port",
            "unbind",
            "/bind .*1$",
        ],
    )
    def test_write_error(self, guest: Guest, tmp_path: Path, failure: str) -> None:
        """Whichever write fails, the three functions of before are there again, GUIDs and all."""
        former = [f"00000000000000a{n}" for n in range(3)]
        ports = [port(0, functions=present("01", former))]
        with hardware(tmp_path, ports, [(failure, errno.EIO)]) as machine:
            done = guest.run("--root", machine.root, "sriov", "--json", *told(tmp_path))
            assert done.returncode == 1
            assert machine.guids("ib0") == follow(*former)
            assert machine.drivers("ib0") == ["mlx5_core"] * 3
            assert [line for line in machine.writes() if line.endswith("EIO")]
        [failed] = [each for each in json.loads(done.stdout)["ports"] if each["interface"]]
        assert (failed["result"], failed["restored"]) == ("failed", True)
        assert "Input/output error" in failed["error"]

    def test_rollback_fails_too(self, guest: Guest, tmp_path: Path) -> None:
        """If going back fails as well, the report does not hide it."""
        failures = [("sriov/0/node", errno.EIO), ("sriov_numvfs 0", errno.EBUSY)]
        with hardware(tmp_path, [port(0)], failures) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
        assert done.returncode == 1
        assert "LEFT HALF DONE" in done.stdout

    def test_no_port_here(self, guest: Guest, tmp_path: Path) -> None:
        """Functions are wanted, and none of the physical ports is in this machine: a failure."""
        with hardware(tmp_path, [port(2)]) as machine:
            done = guest.run("--root", machine.root, "sriov", *told(tmp_path))
            assert (done.returncode, machine.writes()) == (1, [])
        assert "not in this machine" in done.stdout


class TestNothing:
    """Nothing, empty and failed are three different things."""

    @pytest.mark.parametrize(
        "data",
        [{}, {"mlnx_sriov": {}}, {"mlnx_sriov": {"enable_sriov": False}}, {"site": {"a": 1}}],
    )
    def test_nothing_for_me(self, each_guest: Guest, tmp_path: Path, data: Any) -> None:
        """No answer for this server is no failure: the unit stays green."""
        done = each_guest.run(
            "--root", tmp_path, "sriov", "--from", "drive", "--drive", drive(tmp_path, data)
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("nothing to do: ")

    def test_could_not_ask(self, each_guest: Guest, tmp_path: Path) -> None:
        """Nobody to ask is a failure of its own, after the time that was given."""
        options = ["--from", "network", "--url", "http://127.0.0.1:1", "--wait", "0.5"]
        done = each_guest.run("--root", tmp_path, "sriov", *options)
        assert (done.returncode, done.stdout) == (3, "")

    @pytest.mark.parametrize(
        "change",
        [
            {"physical_guids": "04bd700300374486"},
            {"virtual_guids": [["fefeab03004f86b9"]]},
            {"virtual_guids": [["not a GUID"], []]},
            {"virtual_guids": [["fefeab03004f86b9"], ["fefeab03004f86b9"]]},
        ],
    )
    def test_bad_data(self, guest: Guest, tmp_path: Path, change: Any) -> None:
        """Data that makes no sense is refused whole, and its provider is blamed."""
        done = guest.run("--root", tmp_path, "sriov", *told(tmp_path, DATA | change))
        assert done.returncode == 1
        assert done.stderr.startswith("firstlight-guest sriov: ")

    def test_every_port_of_the_data(self, guest: Guest, tmp_path: Path) -> None:
        """With `ports`, one object for each Neutron port, all of them count."""
        each = [
            DATA | {"physical_guids": [PHYSICAL[n]], "virtual_guids": [VIRTUAL[n]]} for n in (0, 1)
        ]
        with hardware(tmp_path, [port(0), port(1)]) as machine:
            done = guest.run(
                "--root", machine.root, "sriov", *told(tmp_path, each[0] | {"ports": each})
            )
            assert done.returncode == 0, done.stderr
            assert [machine.guids(f"ib{n}") for n in (0, 1)] == [follow(*v) for v in VIRTUAL]

    def test_report(self, guest: Guest, tmp_path: Path) -> None:
        """--report leaves the JSON report behind, whatever is printed."""
        with hardware(tmp_path, [port(0)]) as machine:
            where = "/run/firstlight-guest/sriov.json"
            guest.run("--root", machine.root, "sriov", "--report", where, *told(tmp_path))
            report = json.loads((machine.root / where[1:]).read_text())
        assert report["origin"] == "config drive"
        assert report["ports"][0]["wanted"] == VIRTUAL[0]
