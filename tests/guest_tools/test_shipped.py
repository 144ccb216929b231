"""What is shipped: the zipapp, units, rules, shell tools, elements."""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from guest_tools.images import image, text
from guest_tools.pythons import ROOT, Guest
from support.parts import absent, need

GUEST = ROOT / "guest"
FILES = GUEST / "firstlight_guest/files"
ELEMENTS = sorted(path for path in (GUEST / "elements").glob("*/*.d/*") if path.suffix != ".bash")


class TestZipapp:
    """dist/firstlight-guest.pyz."""

    def test_same_bytes(self, zipapp: Path, tmp_path: Path) -> None:
        """The same sources give the same bytes."""
        text(sys.executable, GUEST / "make_zipapp.py", tmp_path)
        made = (tmp_path / zipapp.name).read_bytes()
        assert hashlib.sha256(made).digest() == hashlib.sha256(zipapp.read_bytes()).digest()

    def test_starts_by_itself(self, each_guest: Guest, zipapp: Path, tmp_path: Path) -> None:
        """It is a program: with the python3 of PATH, whichever that is."""
        (tmp_path / "python3").symlink_to(each_guest.python)
        said = text(zipapp, "--version", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
        assert said.strip() == "0.1.0"

    def test_without_python(self, zipapp: Path, tmp_path: Path) -> None:
        """Where there is no Python it says so, in one line and with a shell's usual code."""
        done = self._in_a_bare_root(zipapp, tmp_path / "root")
        assert done.stderr == "firstlight-guest needs Python 3.6 or later\n"
        assert done.returncode == 127

    def test_platform_python(self, zipapp: Path, tmp_path: Path) -> None:
        """RHEL's own Python is found where there is no other, and is given every word."""
        python = tmp_path / "root/usr/libexec/platform-python"
        python.parent.mkdir(parents=True)
        python.write_text('#!/bin/sh\necho "$0" "$@"\n')
        python.chmod(0o755)
        done = self._in_a_bare_root(zipapp, tmp_path / "root", "get", "a b")
        assert done.stdout == "/usr/libexec/platform-python -I /guest get a b\n"
        assert (done.returncode, done.stderr) == (0, "")

    def _in_a_bare_root(
        self, zipapp: Path, root: Path, *words: str
    ) -> "subprocess.CompletedProcess[str]":
        """What the zipapp does where there is a shell and nothing else."""
        if os.geteuid() != 0:
            absent("chroot needs root")
        (root / "bin").mkdir(parents=True)
        (root / "dev").mkdir()
        (root / "dev/null").touch()
        (root / "bin/sh").write_bytes(Path(need("busybox")).read_bytes())
        (root / "bin/sh").chmod(0o755)
        (root / "guest").write_bytes(zipapp.read_bytes())
        command = ["chroot", root, "/bin/sh", "/guest", *words]
        return subprocess.run(command, capture_output=True, text=True)

    def test_nothing_else(self, zipapp: Path) -> None:
        """It holds the package, its files, and its start; no tests, no caches."""
        names = zipfile.ZipFile(zipapp).namelist()
        assert "firstlight_guest/files/udev/80-setmac.rules" in names
        assert all(name == "__main__.py" or name.startswith("firstlight_guest/") for name in names)
        assert not [name for name in names if "__pycache__" in name or "test" in name]

    def test_apart(self) -> None:
        """Nothing outside the standard library and itself is imported."""
        sources = [ast.parse(path.read_text()) for path in GUEST.glob("firstlight_guest/**/*.py")]
        nodes = [node for source in sources for node in ast.walk(source)]
        plain = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        froms = {n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
        assert "json" in plain and "typing" in froms
        assert {str(name).partition(".")[0] for name in plain | froms} <= sys.stdlib_module_names

    def test_python_36(self) -> None:
        """Nothing in it is newer than Python 3.6, says vermin."""
        vermin = Path(sys.executable).parent / "vermin"
        text(vermin, "--no-tips", "--target=3.6-", "--violations", GUEST / "firstlight_guest")

    def test_not_in_the_wheel(self, tmp_path: Path) -> None:
        """The wheel of the services holds neither the guest's code nor its tests."""
        tree = tmp_path / "tree"
        tree.mkdir()
        archive = tmp_path / "tree.tar"
        subprocess.run(
            [
                "git",
                "-C",
                ROOT,
                "archive",
                "-o",
                archive,
                "HEAD",
                "src",
                "pyproject.toml",
                "README.md",
            ],
            check=True,
        )
        with tarfile.open(archive) as packed:
            packed.extractall(tree, filter="data")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps"]
        text(*pip, "--no-build-isolation", "-w", tmp_path, tree)
        [wheel] = tmp_path.glob("*.whl")
        assert not [name for name in zipfile.ZipFile(wheel).namelist() if "guest" in name]


@pytest.mark.parametrize(
    "path", [*(FILES / "bin").iterdir(), *ELEMENTS, *(FILES / "image").glob("init*")], ids=str
)
def test_shellcheck(path: Path) -> None:
    """Every shell script passes shellcheck, as the shell that it is for."""
    text(need("shellcheck"), "--external-sources", "--source-path=SCRIPTDIR", path)


@pytest.fixture
def installed(guest: Guest, zipapp: Path, tmp_path: Path) -> Path:
    """A root with every set in it."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy(zipapp, root / "usr/bin/firstlight-guest")
    sets = ("dpm", "password", "sriov", "sriov-firmware")
    assert guest.run("--root", root, "install", *sets).returncode == 0
    return root


def test_units(installed: Path) -> None:
    """systemd takes every unit, under its old name as well, and all are enabled."""
    units = sorted((installed / "usr/lib/systemd/system").iterdir())
    assert len(units) == 6
    targets = "basic local-fs multi-user network-online network-pre shutdown sysinit"
    for name in targets.split():
        (installed / f"usr/lib/systemd/system/{name}.target").write_text("[Unit]\n")
    said = text(need("systemd-analyze"), "verify", f"--root={installed}", *(u.name for u in units))
    assert "ignoring" not in said.lower()
    enabled = installed / "etc/systemd/system"
    wanted = {link.name for link in (enabled / "multi-user.target.wants").iterdir()}
    assert wanted == {unit.name for unit in units}
    assert {link.name for link in enabled.iterdir() if link.is_symlink()} == {
        "autoconfigure_networking.service",
        "create-sriov-interfaces.service",
        "enable-sriov-in-firmware.service",
    }


def test_first_card_comes_first(installed: Path) -> None:
    """The first card's unit runs once, before anybody looks for a network, cloud-init as well."""
    lines = (
        (installed / "usr/lib/systemd/system/firstlight-dpm-network.service")
        .read_text()
        .splitlines()
    )
    assert {"Type=oneshot", "RemainAfterExit=yes", "DefaultDependencies=no"} <= set(lines)
    before = {name for line in lines if line.startswith("Before=") for name in line[7:].split()}
    assert {"network-pre.target", "cloud-init-local.service"} <= before
    assert "ExecStart=/usr/bin/autoconfigure_networking.sh" in lines


def test_where_the_old_tools_were(installed: Path) -> None:
    """The same files, where nova-dpm's guide put them, with the modes it asked for."""
    modes = {
        "usr/bin/autoconfigure_networking.sh": 0o755,
        "usr/bin/setmac.sh": 0o755,
        "usr/bin/dpm_guest_image_tools_common": 0o755,
        "etc/udev/rules.d/80-setmac.rules": 0o644,
        "usr/lib/systemd/system/firstlight-dpm-network.service": 0o644,
    }
    assert {name: (installed / name).stat().st_mode & 0o777 for name in modes} == modes


def test_rules(installed: Path) -> None:
    """udev reads the rule: `udevadm verify` where there is one, else its lines are well-formed."""
    rule = installed / "etc/udev/rules.d/80-setmac.rules"
    done = subprocess.run([need("udevadm"), "verify", rule], capture_output=True, text=True)
    if "Unknown command" in done.stderr:  # systemd < 254
        [line] = [x for x in rule.read_text().splitlines() if not x.startswith("#")]
        keys = [part.split("=")[0].rstrip("+=") for part in line.split(", ")]
        assert keys == ["SUBSYSTEM", "ACTION", "DRIVERS", "RUN"]
    else:
        assert done.returncode == 0, done.stderr


def test_install_twice(guest: Guest, installed: Path) -> None:
    """Installing again changes nothing, and says so."""
    done = guest.run("--root", installed, "install", "dpm", "sriov")
    assert done.stdout == "nothing to do: all is installed\n"


class TestElements:
    """The scripts of the diskimage-builder elements, as dib-run-parts runs them."""

    def _run(self, zipapp: Path, root: Path, element: str, **variables: str) -> None:
        directory = zipapp.parent / "elements" / element
        environ = os.environ | {"TMP_HOOKS_PATH": str(root), "FIRSTLIGHT_HOOKS": str(root)}
        environ |= {"FIRSTLIGHT_ROOT": str(root)} | variables
        root.mkdir(exist_ok=True)
        for stage in ("extra-data.d", "install.d", "finalise.d"):
            settings = "".join(f". {path}; " for path in directory.glob("environment.d/*"))
            for script in sorted(directory.glob(f"{stage}/*")):
                assert os.access(script, os.X_OK)
                text("bash", "-c", f"set -a; {settings} exec {script}", env=environ)

    def test_sriov(self, zipapp: Path, tmp_path: Path) -> None:
        """By itself it makes functions at each start, and leaves the firmware alone."""
        root = tmp_path / "root"
        self._run(zipapp, root, "firstlight-sriov")
        wants = root / "etc/systemd/system/multi-user.target.wants"
        assert [link.name for link in wants.iterdir()] == ["firstlight-sriov.service"]
        assert (root / "etc/opensm/opensm.conf").read_text() == "virt_enabled 2\n"
        assert text(root / "usr/bin/firstlight-guest", "--version") == "0.1.0\n"

    def test_old_variables(self, zipapp: Path, tmp_path: Path) -> None:
        """The variables of mellanox-sriov do what they did."""
        root = tmp_path / "root"
        variables = {
            "DIB_ENABLE_SRIOV_IN_FIRMWARE": "1",
            "DIB_CREATE_SRIOV_INTERFACES": "0",
            "DIB_MLNX_SRIOV_VFS_NUM": "8",
        }
        for _time in ("first", "second"):
            self._run(zipapp, root, "firstlight-sriov", **variables)
        wants = root / "etc/systemd/system/multi-user.target.wants"
        assert [link.name for link in wants.iterdir()] == ["firstlight-sriov-firmware.service"]
        assert (root / "etc/firstlight/guest.env").read_text() == "DIB_MLNX_SRIOV_VFS_NUM=8\n"
        assert (root / "etc/opensm/opensm.conf").read_text() == "virt_enabled 2\n"

    def test_old_name(self) -> None:
        """mellanox-sriov is the same element."""
        assert (GUEST / "elements/mellanox-sriov/element-deps").read_text() == "firstlight-sriov\n"

    def test_kernel_line(self) -> None:
        """The kernel's line gets the IOMMU, after what was there."""
        script = GUEST / "elements/firstlight-sriov/environment.d/50-firstlight-sriov.bash"
        said = text(
            "bash",
            "-c",
            f". {script}; echo $DIB_BOOTLOADER_DEFAULT_CMDLINE",
            env={"DIB_BOOTLOADER_DEFAULT_CMDLINE": "quiet"},
        )
        assert said == "quiet intel_iommu=on iommu=pt\n"

    def test_dpm(self, zipapp: Path, tmp_path: Path) -> None:
        """The element makes the image whole."""
        root = image(tmp_path)
        self._run(zipapp, root, "firstlight-dpm")
        assert (root / "etc/zfcp.conf").read_bytes() == b""
        assert os.access(root / "usr/bin/setmac.sh", os.X_OK)
