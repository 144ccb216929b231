"""Images read back by programs that are not ours."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from support.parts import need

# mtools takes the names' characters from the locale.
_ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8", "MTOOLSRC": "/dev/null"}


def rock_ridge(image: Path, directory: Path) -> dict[str, bytes]:
    """By xorriso; every file by its path."""
    return _extract(image, directory, "any")


def joliet(image: Path, directory: Path) -> dict[str, bytes]:
    """By xorriso, as if the disc had no Rock Ridge."""
    return _extract(image, directory, "norock")


def plain(image: Path, directory: Path) -> dict[str, bytes]:
    """By xorriso, as if the disc had neither."""
    return _extract(image, directory, "ecma119")


def vfat(image: Path, directory: Path) -> dict[str, bytes]:
    """By mtools, after fsck.vfat found nothing wrong."""
    _run(need("fsck.vfat"), "-n", image)
    _run(need("mcopy"), "-s", "-n", "-p", "-i", image, "::/", directory)
    return files(directory)


READERS: Mapping[str, tuple[Callable[[Path, Path], dict[str, bytes]], ...]] = {
    "iso9660": (rock_ridge, joliet),
    "vfat": (vfat,),
}


def listed(image: Path, *options: str) -> list[str]:
    """isoinfo's list of everything on a disc."""
    return _run(need("isoinfo"), "-i", image, "-f", *options).splitlines()


def label(image: Path) -> str:
    """The label by which a guest finds it, by blkid."""
    return _run(need("blkid"), "-p", "-s", "LABEL", "-o", "value", image).strip()


def files(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def _extract(image: Path, directory: Path, view: str) -> dict[str, bytes]:
    # The disc's own modes would keep even its owner from taking the copy away again.
    shutil.rmtree(directory, ignore_errors=True)
    command = [
        "-no_rc",
        "-abort_on",
        "WARNING",
        "-report_about",
        "WARNING",
        "-read_fs",
        view,
        "-ecma119_map",
        "stripped",
    ]
    command += ["-osirrox", "on:auto_chmod_off", "-indev", str(image)]
    _run(need("xorriso"), *command, "-extract", "/", directory)
    _run("chmod", "-R", "u+rwX", directory)
    return files(directory)


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=_ENVIRONMENT, errors="replace"
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout
