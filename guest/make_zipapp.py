"""Make ``dist/firstlight-guest.pyz`` and ``dist/elements``: the same sources, the same bytes.

``python3 guest/make_zipapp.py [DIRECTORY]``; standard library only.
"""

import argparse
import shutil
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "firstlight_guest"
NAME = "firstlight-guest.pyz"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that zip knows
_MAIN = b"import sys\nfrom firstlight_guest.cli import main\nsys.exit(main())\n"
# A shell script before the archive, which Python skips: it finds RHEL's platform-python as well.
_LAUNCHER = b"""#!/bin/sh
for python in python3 /usr/bin/python3 /usr/libexec/platform-python; do
    if command -v "$python" >/dev/null 2>&1; then exec "$python" -I "$0" "$@"; fi
done
echo "firstlight-guest needs Python 3.6 or later" >&2
exit 127
"""


def build(directory: Path) -> Path:
    """Write zipapp and elements below `directory`; returns the zipapp."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / NAME
    beside = directory / f".{NAME}"
    with beside.open("wb") as file:
        file.write(_LAUNCHER)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "__main__.py", _MAIN)
            for path in _sources():
                _add(archive, str(path.relative_to(HERE)), path.read_bytes())
    beside.chmod(0o755)
    beside.replace(target)
    _elements(directory / "elements", target)
    return target


def _sources() -> list:
    found = (path for path in PACKAGE.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = 0o100644 << 16
    info.create_system = 3  # Unix, wherever this is built
    archive.writestr(info, data)


def _elements(target: Path, zipapp: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(HERE / "elements", target)
    for element in target.iterdir():
        if (element / "extra-data.d").is_dir():
            shutil.copy(zipapp, element / NAME)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0].replace("``", "") + ".")
    parser.add_argument("directory", nargs="?", type=Path, default=HERE.parent / "dist")
    print(build(parser.parse_args().directory))
