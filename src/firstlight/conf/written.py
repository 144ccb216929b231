"""What stands in the operator's files, as it is written, whether anybody reads it or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from oslo_config import cfg


class Written(NamedTuple):
    """One option of one file; the last value if it stands there several times."""

    file: str
    group: str
    name: str
    value: str


def files_of(conf: cfg.ConfigOpts) -> list[str]:
    """The files that `conf` was read from, in their order; later ones win."""
    # oslo.config has these two only once it was called.
    files = [str(file) for file in conf.config_file or ()]
    for directory in conf.config_dir or ():
        files += [str(file) for file in sorted(Path(directory).glob("*.conf"))]
    return files


def written(conf: cfg.ConfigOpts) -> Iterator[Written]:
    """Every option of every file. The files have been read before, so they can be."""
    for file in files_of(conf):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(file, sections).parse()
        for group, options in sections.items():
            for name, values in options.items():
                yield Written(file, group, name.replace("-", "_"), values[-1].strip())
