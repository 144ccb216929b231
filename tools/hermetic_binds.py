"""What tools/hermetic.py shows of a machine beside Debian's packages, and how it is found.

Programs are asked: pip, npm and apt where their settings are, each Python where it lives, git what
it ignores. No path of any machine is written here.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

# Variables that say how the registries are reached; caches they name are left out.
SETTINGS = re.compile(
    r"(PIP|UV)_(?!.*CACHE).*|npm_config_(?!cache$).*|NPM_CONFIG_(?!CACHE$).*|APT_CONFIG|"
    r"(http|https|ftp|no|all)_proxy|(HTTP|HTTPS|FTP|NO|ALL)_PROXY|"
    r"SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO"
)
# Where every program of Debian's looks for certificates, hosts and packages.
_DEBIANS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/usr/local/share/ca-certificates",
    "/etc/hosts",
    "/etc/apt",
)
# Where pip and npm look, below a home folder and the system's.
_USERS = (".config/pip/pip.conf", ".pip/pip.conf", ".npmrc")
_SYSTEMS = ("/etc/pip.conf", "/etc/xdg/pip/pip.conf", "/etc/npmrc")
_PATH = re.compile(r"(?:file:)?(?://)?(/(?!/)[^\s'\",:;\[\]]+)")


class Binds(NamedTuple):
    """What is shown, by the way in which it is; all paths are absolute."""

    clone: str
    copied: list[str]  # settings, files and folders
    readable: list[str]
    writable: list[str]
    ignored: list[str]  # folders in the clone that are shown empty
    path: list[str]  # where programs are


def within(path: Path, folders: Iterable[Path]) -> bool:
    """Whether it is one of the folders, or in one."""
    return any(path.is_relative_to(folder) for folder in folders)


def find(clone: Path, empty: Sequence[Path], *, foreign: bool) -> Binds:
    """What has to be shown although it is in a folder of `empty`; if `foreign`, it all is."""
    settings, folders = _registries((*empty, Path("/etc")))
    readable = [*folders, clone.parent / "shared", *_git_folder(clone)]
    path: list[Path] = []
    if not foreign:  # that has a Python of its own
        first, *others = prefixes = list(dict.fromkeys(_interpreters(empty)))
        readable += prefixes
        programs = os.environ.get("PATH", "").split(":")
        path = [first / "bin", *map(Path, programs), *(prefix / "bin" for prefix in others)]
    return Binds(
        clone=str(clone),
        copied=_texts(p for p in settings if foreign or within(p, empty)),
        readable=_texts(
            p for p in readable if (foreign or within(p, empty)) and not within(p, [clone])
        ),
        writable=[str(clone)],
        ignored=_texts(_ignored(clone)),
        path=list(dict.fromkeys(str(p) for p in path if p.is_absolute())),
    )


def _texts(paths: Iterable[Path]) -> list[str]:
    """Those that are there, each once."""
    return list(dict.fromkeys(str(path) for path in paths if path.exists()))


def _registries(places: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Settings, and folders that they name: those of both that are in `places`."""
    files = [Path.home() / name for name in _USERS] + list(map(Path, (*_SYSTEMS, *_DEBIANS)))
    settings = [path for path in files if path.exists()]
    texts = [value for name, value in os.environ.items() if SETTINGS.fullmatch(name)]
    texts += [
        path.read_text() for path in settings if path.is_file() and path.stat().st_size < 2**16
    ]
    texts += [path.read_text() for path in Path("/etc/apt").rglob("*.[lsc]*") if path.is_file()]
    named = [Path(found) for text in texts for found in _PATH.findall(text)]
    named = [path for path in named if path not in places and within(path, places)]
    folders = [path for path in named if path.is_dir() and path not in settings]
    return (
        settings + [path for path in named if path.is_file()],
        # The packages of an index are often beside it: ../files, say.
        [path.parent if path.name == "simple" else path for path in folders],
    )


def _interpreters(empty: Sequence[Path]) -> Iterator[Path]:
    """The prefixes of this Python, and of those in `empty` that are on PATH or pyenv's."""
    yield Path(sys.base_prefix)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    pythons = [*pyenv.glob("*/bin/python3")]
    for folder in os.environ.get("PATH", "").split(":"):
        pythons += Path(folder).glob("python3*")
    for python in dict.fromkeys(path.resolve() for path in pythons):
        if within(python, empty) and _is_a_python(python):
            yield from map(Path, _told(python, "-ISc", "import sys; print(sys.base_prefix)"))


def _is_a_python(path: Path) -> bool:
    """And no script: pyenv's shims are such, and lead to what is found without them."""
    if not re.fullmatch(r"python3(\.\d+)?", path.name) or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) != b"#!"


def _git_folder(clone: Path) -> list[Path]:
    """Of a work tree, where its repository is."""
    told = _git(clone, "rev-parse", "--path-format=absolute", "--git-common-dir")
    return list(map(Path, told))


def _ignored(clone: Path) -> list[Path]:
    """The folders that git ignores: environments, caches, what was built."""
    listed = _git(clone, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory")
    return [clone / name for name in listed if name.endswith("/")]


def _git(clone: Path, *words: str) -> list[str]:
    return _told("git", "-C", clone, "-c", f"safe.directory={clone}", *words)


def _told(*command: str | Path) -> list[str]:
    """The lines that a program prints; none if it is not here or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
