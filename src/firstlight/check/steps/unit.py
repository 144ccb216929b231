"""Whether a service may write somewhere: as the user, and in the sandbox, of its systemd unit.

`firstlight check` is run by root more often than by the service's user, and root may write
anywhere.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

# Where systemd looks for units, the first wins; drop-ins of all of them count (systemd.unit(5)).
_PLACES = (
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
# Directories that systemd makes and gives to the unit's user, by what they are below.
_MADE = {
    "StateDirectory": "/var/lib",
    "LogsDirectory": "/var/log",
    "RuntimeDirectory": "/run",
    "CacheDirectory": "/var/cache",
}
_ALWAYS = ("/tmp", "/var/tmp", "/dev", "/proc", "/sys")  # noqa: S108  (PrivateTmp, or the host's)
_READ_ONLY = {
    "strict": ("/",),
    "full": ("/usr", "/boot", "/efi", "/etc"),
    "yes": ("/usr", "/boot", "/efi"),
    "true": ("/usr", "/boot", "/efi"),
}
_SECONDS = 5.0


class Unit(Struct, frozen=True):
    """What counts of a unit.

    Attributes:
        made: directories that systemd makes for it.
        writable: what ``ReadWritePaths`` lists.
        read_only: below which nothing else can be written.
    """

    name: str
    user: str
    groups: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()


def unit_of(service: str, root: Path = Path("/")) -> Unit | None:
    """The unit ``firstlight-SERVICE`` with its drop-ins; None: none is installed below `root`."""
    name = f"firstlight-{service}.service"
    directories = [root / place for place in _PLACES]
    main = next((d / name for d in directories if (d / name).is_file()), None)
    if main is None:
        return None
    drop_ins = {path.name: path for d in reversed(directories) for path in _drop_ins(d / name)}
    said = _said([main, *(drop_ins[each] for each in sorted(drop_ins))])
    protect = (said.get("ProtectSystem") or ["no"])[-1]
    return Unit(
        name=name,
        user=(said.get("User") or ["root"])[-1],
        groups=tuple(said.get("SupplementaryGroups", ())),
        made=tuple(
            f"{below}/{each.partition(':')[0]}"
            for option, below in _MADE.items()
            for each in said.get(option, ())
        ),
        writable=tuple(path.lstrip("-+") for path in said.get("ReadWritePaths", ())),
        read_only=_READ_ONLY.get(protect, ()),
    )


class Writer:
    """Answers for a service whether it may write.

    Args:
        unit: as whose user and in whose sandbox; None: as the user who runs this.
    """

    def __init__(self, unit: Unit | None) -> None:
        self._unit = unit

    @classmethod
    def of(cls, service: str) -> "Writer":
        """As the service will: root asks for the unit, others for themselves."""
        return cls(unit_of(service) if os.geteuid() == 0 else None)

    def __str__(self) -> str:
        if self._unit is None:
            return f"this user ({pwd.getpwuid(os.geteuid()).pw_name})"
        return f"{self._unit.user}, the user of {self._unit.name},"

    def refused(self, path: Path) -> str | None:
        """Why a file cannot be written, or made, at `path`; None: it can. Nothing is tried out."""
        path = Path(os.path.abspath(path))  # noqa: PTH100  (links are the kernel's to follow)
        unit = self._unit
        if unit is not None:
            if any(path.is_relative_to(each) and not self._owns(each) for each in unit.made):
                return None  # systemd makes it, or gives it and all that is in it to the user
            free = _below(path, (*unit.made, *unit.writable, *_ALWAYS))
            if _below(path, unit.read_only) and not free:
                return (
                    f"{unit.name} may not write to {path}: ProtectSystem= keeps it from there;"
                    f" a drop-in with ReadWritePaths={path.parent} lets it"
                )
        target = path if path.exists() else path.parent
        if not target.exists():
            return f"there is no directory {target}"
        wanted = ("-w",) if target.is_file() else ("-w", "-x")
        if all(self._may(each, target) for each in wanted):
            return None
        return f"{self} may not write to {target}"

    def _owns(self, directory: str) -> bool:
        assert self._unit is not None
        try:
            return Path(directory).stat().st_uid == pwd.getpwnam(self._unit.user).pw_uid
        except (OSError, KeyError):
            return False

    def _may(self, test: str, path: Path) -> bool:
        if self._unit is None:
            return os.access(path, os.W_OK if test == "-w" else os.X_OK)
        try:
            user = pwd.getpwnam(self._unit.user)
        except KeyError:
            return False
        done = subprocess.run(  # noqa: S603  a program and a path of ours, without a shell
            ["/usr/bin/test", test, path],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[*os.getgrouplist(user.pw_name, user.pw_gid), *self._unit.groups],
            timeout=_SECONDS,
            check=False,
        )
        return done.returncode == 0


def _below(path: Path, directories: Sequence[str]) -> bool:
    return any(path.is_relative_to(each) for each in directories)


def _drop_ins(unit: Path) -> Iterator[Path]:
    yield from unit.with_name(f"{unit.name}.d").glob("*.conf")


def _said(files: Sequence[Path]) -> Mapping[str, list[str]]:
    """Words of each option of [Service]; an empty one takes back what was said before."""
    said: dict[str, list[str]] = {}
    for file in files:
        section = ""
        for line in map(str.strip, file.read_text(errors="replace").splitlines()):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and line[0] not in "#;":
                name, _, value = line.partition("=")
                words = value.split()
                said[name.strip()] = [*said.get(name.strip(), ()), *words] if words else []
    return said
