"""The initramfs brings up the adapter that firmware started the system by, and no other."""

import os
import subprocess
from pathlib import Path

import pytest

from guest_tools.images import image
from guest_tools.pythons import ROOT, Guest
from support.parts import need

FILES = ROOT / "guest/firstlight_guest/files/image"
IPL = {"device": "0.0.1800", "wwpn": "0x500507630300c562", "lun": "0x401040a600000000"}


def _firmware(root: Path, kind: str) -> None:
    """What the kernel tells of how it was started."""
    ipl = root / "sys/firmware/ipl"
    ipl.mkdir(parents=True)
    for name, value in {"ipl_type": kind, **(IPL if kind == "fcp" else {})}.items():
        (ipl / name).write_text(f"{value}\n")


@pytest.mark.parametrize("shell", ["sh", "bash", "busybox"])
@pytest.mark.parametrize("kind", ["fcp", "ccw", None])
def test_dracut(kind: str | None, shell: str, tmp_path: Path) -> None:
    """In dracut's form of the command line, which it reads anew; nothing where it was no FCP."""
    if kind:
        _firmware(tmp_path, kind)
    words = [need(shell), "sh"] if shell == "busybox" else [need(shell)]
    script = f"set -e; CMDLINE=old; . {FILES}/initramfs-dracut-ipl; echo ${{CMDLINE-unset}}"
    environ = os.environ | {"ROOT_DIR": str(tmp_path)}
    done = subprocess.run([*words, "-c", script], capture_output=True, text=True, env=environ)
    assert (done.returncode, done.stderr) == (0, "")
    told = tmp_path / "etc/cmdline.d/90-firstlight-dpm.conf"
    if kind == "fcp":
        assert told.read_text() == f"rd.zfcp={IPL['device']},{IPL['wwpn']},{IPL['lun']}\n"
        assert done.stdout == "unset\n"
    else:
        assert not told.exists()
        assert done.stdout == "old\n"


@pytest.mark.parametrize("kind", ["fcp", "ccw"])
def test_initramfs_tools(kind: str, tmp_path: Path) -> None:
    """chzdev is told the same device, and nothing where it was no FCP."""
    _firmware(tmp_path, kind)
    chzdev = tmp_path / "sbin/chzdev"
    chzdev.parent.mkdir()
    chzdev.write_text('#!/bin/sh\necho "$@"\n')
    chzdev.chmod(0o755)
    environ = os.environ | {"ROOT_DIR": str(tmp_path)}
    done = subprocess.run(
        ["sh", FILES / "init-premount"], capture_output=True, text=True, env=environ
    )
    called = f"-e -a -y zfcp-lun {':'.join(IPL.values())}\n" if kind == "fcp" else ""
    assert (done.returncode, done.stdout, done.stderr) == (0, called, "")


def test_dracuts_module_is_asked_for(guest: Guest, tmp_path: Path) -> None:
    """It hooks in before dracut reads rd.zfcp (30), under the name that dracut.conf.d has."""
    root = image(tmp_path)
    assert guest.run("--root", root, "image", "prepare").returncode == 0
    [module] = (root / "usr/lib/dracut/modules.d").iterdir()
    conf = (root / "etc/dracut.conf.d/90-firstlight-dpm.conf").read_text()
    assert f'add_dracutmodules+=" {module.name.lstrip("0123456789")} "' in conf
    script = (
        f'inst_hook() {{ echo "$1 $2 $3"; }}; moddir={module}; . {module}/module-setup.sh; install'
    )
    said = subprocess.run(
        ["bash", "-ec", script], capture_output=True, text=True, check=True
    ).stdout
    hook, order, path = said.split()
    assert (hook, int(order) < 30, Path(path)) == ("cmdline", True, module / "ipl-device.sh")
    assert os.access(path, os.X_OK)


def test_the_boot_loader(guest: Guest, tmp_path: Path) -> None:
    """It names no adapter of the machine that the image grew on, and zipl finds the new initramfs;
    zipl that fails is run again."""
    root = image(tmp_path)
    adapter = f"rd.zfcp={','.join(IPL.values())}"
    (root / "etc/zipl.conf").write_text(f'parameters="root=/dev/sda1 {adapter} {adapter}"\n')
    entry = root / "boot/loader/entries/5.14.conf"
    entry.parent.mkdir(parents=True)
    entry.write_text(f"title 5.14\noptions root=/dev/sda1 {adapter} crashkernel=auto\n")
    zipl = root / "usr/sbin/zipl"
    for code in (1, 0):
        zipl.write_text(f"#!/bin/sh\necho zipl >>/calls\nexit {code}\n")
        zipl.chmod(0o755)
        assert guest.run("--root", root, "image", "prepare").returncode == code
    assert (root / "etc/zipl.conf").read_text() == 'parameters="root=/dev/sda1"\n'
    assert entry.read_text() == "title 5.14\noptions root=/dev/sda1 crashkernel=auto\n"
    calls = [line.split()[0] for line in (root / "calls").read_text().splitlines()]
    assert calls == ["dracut", "zipl"] * 2
    again = guest.run("--root", root, "image", "prepare")
    assert again.stdout.splitlines()[1] == "initramfs: right"
