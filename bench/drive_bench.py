"""A config drive by our own writers, and by the programs that others run for it."""

import argparse
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib.resources import files as resources
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

from msgspec import structs
from rich.console import Console
from rich.table import Table

from firstlight.config_drive import contents, image, write
from firstlight.documents import Documents, TreeSettings
from firstlight.instance import Ec2Ids, Instance
from firstlight.sources.store.documents import files as instance_files

BUILDS = 20  # of each, in each round
_USER_DATA = "I2Nsb3VkLWNvbmZpZwo=" * 1000  # 15 KB
# As Nova's configdrive.py has them.
_NOVAS_FLAGS = (
    *("-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-quiet", "-J", "-r"),
    *("-V", "config-2"),
)

Build = Callable[[Path], None]


def run(directory: Path, args: argparse.Namespace) -> None:
    """Time and size of one drive, each way."""
    everything = _ways(directory)
    ways = {name: build for name, build in everything.items() if build is not None}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(args.rounds):  # interleaved: a noisy neighbour disturbs everyone
        for name, build in ways.items():
            times[name] += [_timed(build, directory / "disk.config") for _ in range(BUILDS)]
    table = Table("", "median ms", "slowest ms", "KiB", title="one config drive")
    for name, build in ways.items():
        build(directory / "disk.config")
        size = (directory / "disk.config").stat().st_blocks / 2
        middle, worst = median(times[name]) * 1e3, max(times[name]) * 1e3
        table.add_row(name, f"{middle:.1f}", f"{worst:.1f}", f"{size:.0f}")
    for name in everything.keys() - ways:
        table.add_row(name, "not installed")
    Console().print(table)


def _timed(build: Build, target: Path) -> float:
    target.unlink(missing_ok=True)
    began = perf_counter()
    build(target)
    return perf_counter() - began


def _ways(directory: Path) -> Mapping[str, Build | None]:
    instance = _sample()
    drive = _contents(instance)
    numbers = count()

    def ours(form: str, *, documents: bool) -> Build:
        def build(target: Path) -> None:
            files = _contents(instance) if documents else drive
            write(image(files, form, epoch=1_700_000_000).chunks(), target)

        return build

    def theirs(program: str, make: Callable[[Path, Path], None]) -> Build | None:
        def build(target: Path) -> None:
            tree = directory / f"tree-{next(numbers)}"
            for path, content in drive.items():
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).write_bytes(content)
            make(tree, target)
            shutil.rmtree(tree)

        return build if shutil.which(program) else None

    return {
        "iso9660, ours, from the instance": ours("iso9660", documents=True),
        "iso9660, ours, from the files": ours("iso9660", documents=False),
        "iso9660, genisoimage as Nova runs it": theirs("genisoimage", _genisoimage),
        "iso9660, xorriso": theirs("xorriso", _xorriso),
        "vfat, ours, from the instance": ours("vfat", documents=True),
        "vfat, ours, from the files": ours("vfat", documents=False),
        "vfat, mkfs and mcopy (Nova: mkfs and a mount)": theirs("mcopy", _mcopy),
    }


def _sample() -> Instance:
    """The sample instance, with user data."""
    sample = resources("firstlight.sources.store").joinpath("sample.yaml").read_bytes()
    instance = instance_files.read(sample, "sample.yaml")[0].instance
    ids = Ec2Ids(instance=1, image=1)
    return structs.replace(instance, ec2_ids=ids, user_data=_USER_DATA)


def _contents(instance: Instance) -> Mapping[str, bytes]:
    documents = Documents(instance, TreeSettings(), today="2026-01-01")
    return contents(documents, dict, seed=bytes(64))


def _genisoimage(tree: Path, target: Path) -> None:
    publisher = ("-publisher", "OpenStack Nova 34.0.0")
    _run("genisoimage", "-o", target, *publisher, *_NOVAS_FLAGS, tree)


def _xorriso(tree: Path, target: Path) -> None:
    _run("xorriso", "-as", "mkisofs", "-quiet", "-J", "-r", "-V", "config-2", "-o", target, tree)


def _mcopy(tree: Path, target: Path) -> None:
    with target.open("wb") as file:
        file.truncate(64 * 2**20)
    _run("mkfs.vfat", "-n", "config-2", target)
    _run("mcopy", "-s", "-i", target, *tree.iterdir(), "::/")


def _run(*command: str | Path) -> None:
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
