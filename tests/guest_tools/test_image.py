"""`firstlight-guest image`, on an image whose programs are stubs."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from guest_tools.images import image, text
from guest_tools.pythons import Guest
from support.parts import absent


class TestImage:
    """`firstlight-guest image`."""

    @pytest.mark.parametrize(
        ("tool", "call"),
        [
            ("dracut", "dracut --force --regenerate-all --no-hostonly"),
            ("update-initramfs", "update-initramfs -u -k all"),
        ],
    )
    def test_prepare(self, each_guest: Guest, tmp_path: Path, tool: str, call: str) -> None:
        """The initramfs, cloud-init and the tools are set; what is one machine's own is gone."""
        root = image(tmp_path, tool)
        done = each_guest.run("--root", root, "image", "prepare")
        assert (done.returncode, done.stderr) == (0, "")
        assert (root / "calls").read_text() == f"{call}\n"
        assert (root / "etc/zfcp.conf").read_bytes() == b""
        assert (root / "etc/machine-id").read_bytes() == b""
        assert [path.name for path in (root / "etc/ssh").iterdir()] == ["sshd_config"]
        assert {path.name for path in (root / "etc/udev/rules.d").iterdir()} == {"80-setmac.rules"}
        assert not list((root / "var/lib/cloud").iterdir())
        cfg = yaml.safe_load((root / "etc/cloud/cloud.cfg.d/90-firstlight-dpm.cfg").read_text())
        assert cfg["datasource_list"] == ["ConfigDrive", "OpenStack"]

    def test_twice(self, guest: Guest, tmp_path: Path) -> None:
        """A second run changes nothing, and builds no initramfs."""
        root = image(tmp_path)
        guest.run("--root", root, "image", "prepare")
        (root / "calls").unlink()
        done = guest.run("--root", root, "image", "prepare")
        assert done.stdout == "tools: right\ninitramfs: right\ncloud-init: right\nclean: right\n"
        assert not (root / "calls").exists()

    def test_failed_initramfs_is_built_again(self, guest: Guest, tmp_path: Path) -> None:
        """If building the initramfs failed, the next run builds it."""
        root = image(tmp_path)
        program = root / "usr/bin/dracut"
        works = program.read_text()
        program.write_text(f"{works}exit 3\n")
        assert guest.run("--root", root, "image", "prepare").returncode == 1
        program.write_text(works)
        assert guest.run("--root", root, "image", "prepare").returncode == 0
        assert (root / "calls").read_text().count("dracut") == 2

    def test_not_this_machine(self, guest: Guest) -> None:
        """The running system is not cleaned by mistake."""
        done = guest.run("image", "prepare")
        assert done.returncode == 1
        assert "--this-machine" in done.stderr

    def test_without_cloud_init(self, guest: Guest, tmp_path: Path) -> None:
        """An image without cloud-init is refused with what to install."""
        root = image(tmp_path)
        (root / "etc/cloud/cloud.cfg").unlink()
        done = guest.run("--root", root, "image", "prepare")
        assert done.returncode == 1
        assert "no cloud-init: install it" in done.stderr

    def test_zero(self, guest: Guest, tmp_path: Path) -> None:
        """Free space is overwritten, and given back."""
        root = image(tmp_path)
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk])
        if mounted.returncode != 0:
            absent("this machine does not allow mounts")
        try:
            text("cp", "-a", f"{root}/.", disk)
            assert guest.run("--root", disk, "image", "prepare", "--zero").returncode == 0
            left = os.statvfs(disk)
            assert left.f_bavail * left.f_frsize > 4 << 20
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_export(self, guest: Guest, tmp_path: Path) -> None:
        """An export that fails leaves no file behind; one that works, the file; and links that
        wait where it is written lead nowhere."""
        root = tmp_path / "root"
        program = root / "usr/bin/qemu-img"
        program.parent.mkdir(parents=True)
        program.write_text('#!/bin/sh\ncat "$5" >"$6"; [ "$5" != /dev/null ]\n')
        program.chmod(0o755)
        (tmp_path / "disk").write_text("bytes")
        target = tmp_path / "out/image.qcow2"
        target.parent.mkdir()
        others = tmp_path / "others"
        others.write_text("stays")
        target.symlink_to(others)
        target.with_name("image.qcow2.partial").symlink_to(others)
        assert guest.run("--root", root, "image", "export", "/dev/null", target).returncode == 1
        assert others.read_text() == "stays"
        assert {path.name for path in target.parent.iterdir()} == {
            "image.qcow2",
            "image.qcow2.partial",
        }
        assert (
            guest.run("--root", root, "image", "export", tmp_path / "disk", target).returncode == 0
        )
        assert target.read_text() == "bytes"
        assert not target.is_symlink()
        assert others.read_text() == "stays"
