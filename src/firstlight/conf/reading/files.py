"""Where the services that we stand in for kept their configuration."""

import os
import stat
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from firstlight.conf.compat_mode import CompatMode

# Pollinate documents the first; the others are where oslo.config looked for it.
_POLLINATE = (
    "/etc/nova-pollinate/nova-pollinate.conf",
    "{home}/.pollinate/pollinate.conf",
    "{home}/pollinate.conf",
    "/etc/pollinate/pollinate.conf",
    "/etc/pollinate.conf",
)
_PCSS = (
    "{home}/.pcss-vendor-metadata/pcss-vendor-metadata.ini",
    "{home}/pcss-vendor-metadata.ini",
    "/etc/pcss-vendor-metadata/pcss-vendor-metadata.ini",
    "/etc/pcss-vendor-metadata.ini",
)
_USUAL = {CompatMode.POLLINATE: _POLLINATE, CompatMode.PCSS: _PCSS}


def usual_files(shape: CompatMode, environ: Mapping[str, str], root: Path = Path("/")) -> list[str]:
    """The first of the places where the service of `shape` kept its file; empty if there is none.

    `root` is where ``/etc`` is looked for.
    """
    home = environ.get("HOME", "/nonexistent")
    for pattern in _USUAL.get(shape, ()):
        path = Path(pattern.format(home=home))
        if not pattern.startswith("{"):
            path = root / path.relative_to("/")
        if path.is_file():
            return [str(path)]
    return []


class Untrusted(Exception):
    """A file that somebody else may have written; the message says who could."""


# Names of what came from a .env: a successor after SIGHUP reads it anew.
_FROM_DOTENV = "FIRSTLIGHT_FROM_DOTENV"


def add_dotenv(environ: MutableMapping[str, str], directory: Path) -> None:
    """Take what `directory`/.env says into `environ`, where it is not set yet.

    Raises:
        Untrusted: it belongs to somebody else, or everybody may write to it. What is in it decides
            who is let in and which code runs.
    """
    from dotenv import dotenv_values

    for name in environ.pop(_FROM_DOTENV, "").split():
        environ.pop(name, None)
    path = directory / ".env"
    if not path.is_file():
        return
    _refuse_others(path)
    said = dotenv_values(path, encoding="utf-8")
    new = {name: value for name, value in said.items() if value is not None} | dict(environ)
    taken = new.keys() - environ.keys()
    environ.update({name: new[name] for name in taken})
    environ[_FROM_DOTENV] = " ".join(sorted(taken))


def _refuse_others(path: Path) -> None:
    status = path.stat()
    if status.st_uid not in (0, os.geteuid()):
        raise Untrusted(f"{path} belongs to the user with id {status.st_uid}, not to this one")
    if status.st_mode & stat.S_IWOTH:
        raise Untrusted(f"{path} can be written by everybody; chmod o-w {path}")
