"""What stands in the operator's files, as it is written, whether anybody reads it or not."""

from collections.abc import Iterator
from typing import NamedTuple

from oslo_config import cfg


class Written(NamedTuple):
    """One option of one file; the last value if it stands there several times."""

    file: str
    group: str
    name: str
    value: str


class Configuration(cfg.ConfigOpts):
    """oslo.config's object, which does not tell which files it was read from, and the list of them.

    Attributes:
        service: which Firstlight service it is for, such as ``metadata``.
        files_read: in their order; later ones win.
    """

    def __init__(self, service: str = "") -> None:
        super().__init__()
        self.service = service
        self.files_read: list[str] = []


def files_of(conf: cfg.ConfigOpts) -> list[str]:
    """The files that `conf` was read from, in their order; later ones win."""
    if isinstance(conf, Configuration):
        return list(conf.files_read)
    return [str(file) for file in conf.config_file or ()]


def written(conf: cfg.ConfigOpts) -> Iterator[Written]:
    """Every option of every file. The files have been read before, so they can be."""
    for file in files_of(conf):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(file, sections).parse()
        for group, options in sections.items():
            for name, values in options.items():
                yield Written(file, group, name.replace("-", "_"), values[-1].strip())
