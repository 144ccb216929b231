"""The config drive, as the kernel shows it to the tools."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from guest_tools.cloud_site import Site
from guest_tools.hardware import DATA
from guest_tools.pythons import Guest
from guests.cloud import INSTANCE
from support.parts import absent, need


class TestDrive:
    """The config drive, as the kernel shows it."""

    def test_first(self, each_guest: Guest, site: Site, tmp_path: Path) -> None:
        """A drive with the label is mounted, read, and unmounted; nobody is asked."""
        iso = tmp_path / "disk.config"
        site.firstlight("config-drive", INSTANCE, "-o", str(iso))
        root = _root_with(tmp_path, "mount", "umount")
        with _loop(_mountable(iso)) as device:
            link = root / "dev/disk/by-label/config-2"
            link.parent.mkdir(parents=True)
            # Links lead nowhere but to what is below the root.
            link.symlink_to(device)
            os.mknod(root / device.lstrip("/"), stat.S_IFBLK | 0o600, Path(device).stat().st_rdev)
            site.cloud.asked()
            done = site.inside(each_guest, "--root", root, "get", "meta_data.json#/uuid")
            sriov = site.inside(each_guest, "--root", root, "sriov", "--dry-run")
            assert device not in Path("/proc/mounts").read_text()
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{INSTANCE}\n", "")
        assert sriov.stdout.startswith("vendor data: from the config drive\n")
        assert site.cloud.asked() == []

    def test_unreadable(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """A drive that cannot be read is told of, and the network asked."""
        root = _root_with(tmp_path, "umount")
        (root / "dev/disk/by-label").mkdir(parents=True)
        (root / "dev/disk/by-label/config-2").touch()
        done = site.inside(guest, "--root", root, "get", "meta_data.json#/uuid")
        assert (done.returncode, done.stdout) == (0, f"{INSTANCE}\n")
        assert "cannot be read (are you root?)" in done.stderr
        alone = site.inside(guest, "--root", root, "get", "--from", "drive", "meta_data.json")
        assert (alone.returncode, alone.stdout) == (3, "")

    def test_empty_on_the_drive(self, guest: Guest, site: Site, tmp_path: Path) -> None:
        """What is empty on the drive, for its provider was away then, is asked over the network."""
        latest = tmp_path / "openstack/latest"
        latest.mkdir(parents=True)
        (latest / "vendor_data2.json").write_text('{"mlnx_sriov": {}}')
        done = site.inside(guest, "get", "--drive", tmp_path, "--provider", "mlnx_sriov")
        assert (done.returncode, json.loads(done.stdout)) == (0, DATA)


def _root_with(tmp_path: Path, *programs: str) -> Path:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    for name in programs:
        (root / "usr/bin" / name).symlink_to(need(name))
    return root


def _mountable(iso: Path) -> Path:
    """The drive's tree on a file system that any kernel mounts; this one may not know ISO 9660."""
    tree, image = iso.with_name("tree"), iso.with_name("ext4")
    extract = [need("osirrox"), "-indev", iso, "-extract", "/", tree]
    subprocess.run(extract, check=True, capture_output=True)
    make = [need("mkfs.ext4"), "-q", "-L", "config-2", "-d", tree, image, "8M"]
    subprocess.run(make, check=True, capture_output=True)
    return image


@contextmanager
def _loop(image: Path) -> Iterator[str]:
    command = [need("losetup"), "--find", "--show", "--read-only", image]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        absent(f"this machine gives no loop device: {made.stderr.strip()}")
    device = made.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
