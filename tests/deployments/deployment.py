"""What a deployment tool leaves on a host: files at their places, and how it runs what reads them.

Each folder of files/ is one tool's: ``deployment.toml`` names the tool, its release and where the
options and values were read; ``root`` is put below /, ``config`` is what kolla_start copies.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oslo_config import cfg

FILES = Path(__file__).with_name("files")
NAMES = sorted(each.name for each in FILES.iterdir())
# Which of a deployment's files are whose.
_METADATA = ("nova",)
_AGENT = ("neutron", "metadata_agent")


@dataclass(frozen=True)
class Service:
    """One service of a deployment.

    Attributes:
        start: the command with its arguments; empty where `kolla` is given.
        kolla: the file in ``config`` that tells kolla_start what to copy and to run.
        script: where Apache looks for the WSGI script.
        listens: the addresses it listens on; ``*`` is all of them, in the family that the server
            chooses.
        socket: the unix socket it listens on.
        user: whose process it is; root's if empty.
        log: the file, or a folder of files, that its log is written to, or ``journal``; its own
            output if empty.
    """

    start: str = ""
    kolla: str = ""
    script: str = ""
    listens: list[str] = field(default_factory=list)
    socket: str = ""
    log: str = ""
    user: str = ""


@dataclass(frozen=True)
class Deployment:
    """One tool's files."""

    name: str
    tool: str
    release: str
    source: str
    directories: list[str]
    metadata: Service
    agent: Service | None
    silenced: bool = False  # its log options leave nothing of ours but what goes to standard error
    nova_release: int = 0  # for which Nova its older names are taken here, if it has any
    cell_url: str = ""  # of the cell mapping, where it is a template

    @property
    def root(self) -> Path:
        """What stands below /; may not exist."""
        return FILES / self.name / "root"

    @property
    def config(self) -> Path:
        """What kolla_start copies; may not exist."""
        return FILES / self.name / "config"

    def files_of(self, service: str) -> list[Path]:
        """The configuration files of ``metadata`` or ``agent``."""
        wanted = _METADATA if service == "metadata" else _AGENT
        found = [
            *self.root.glob("etc/*/**/*.conf"),
            *self.root.glob("etc/n*/**/*.ini"),
            *self.root.glob("usr/share/*/*.conf"),
            *self.config.glob("*.conf"),
            *self.config.glob("*.ini"),
        ]
        return sorted(
            path
            for path in found
            if not path.name.endswith(("uwsgi.ini", "logging.conf"))
            and _owner(path).startswith(wanted)
        )


def _owner(path: Path) -> str:
    """``nova`` or ``neutron``, by the folder or the name."""
    for word in (*path.parts[path.parts.index("files") + 2 :], path.name):
        if word.startswith(("nova", "neutron", "metadata_agent")):
            return word
    return ""


def load(name: str) -> Deployment:
    """The deployment in the folder `name`."""
    said: dict[str, Any] = tomllib.loads((FILES / name / "deployment.toml").read_text())
    agent = said.pop("agent", None)
    return Deployment(
        name=name,
        metadata=Service(**said.pop("metadata")),
        agent=None if agent is None else Service(**agent),
        **said,
    )


def options_of(path: Path) -> Iterator[tuple[str, str, str]]:
    """Section, name and last value of every option in a file."""
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(str(path), sections).parse()
    for section, options in sections.items():
        for name, values in options.items():
            yield section, name.replace("-", "_"), values[-1].strip()
