"""What a service makes before it first starts, made once for an environment and copied from there.

Migrations take seconds of a processor for each database, and give the same each time.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def prepared(
    environment: Path, name: str, made_by: tuple[Path, ...], make: Callable[[Path], None]
) -> Path:
    """A directory that `make` has filled; to be copied from, never to be written to.

    It is kept beside the environments of tools/lab-env, for as long as nothing is installed into
    `environment`, and the files `made_by` stay as they are. Others that need it at the same moment
    wait. If `make` raises, nothing is kept.

    Raises:
        OSError: nothing can be written there.
    """
    [packages] = environment.glob("lib/python3*/site-packages")
    installed = f"{packages} {packages.stat().st_mtime_ns}".encode()
    words = installed + b"".join(file.read_bytes() for file in made_by)
    cache = os.environ.get("FIRSTLIGHT_CACHE") or Path.home() / ".cache" / "firstlight"
    place = Path(cache) / "prepared" / f"{name}-{hashlib.sha256(words).hexdigest()[:16]}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent) as within:
                made = Path(within) / name
                made.mkdir()
                make(made)
                made.rename(place)
    return place


def copy(source: Path, target: Path, *names: str) -> None:
    """Copy files and folders of these names into `target`, where none of them is yet."""
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        else:
            shutil.copy2(source / name, target / name)
