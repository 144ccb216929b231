"""Where instances come from: Nova's databases or the embedded store."""

from pathlib import Path

from oslo_config import cfg

from firstlight.conf.reading.written import files_of, written

_NOVAS_FILES = {"nova.conf", "nova-dist.conf", "nova-api-metadata.conf"}
_NOVAS_FOLDERS = {"nova.conf.d", "nova-api-metadata.conf.d"}
# What to do about it, in one sentence with the fault.
REMEDY = (
    "set it; or set [api] local_metadata_per_cell and [database] connection, for a service that"
    " reads one cell; or set [firstlight] source = store to serve the embedded store"
)


def reads_nova(conf: cfg.ConfigOpts) -> bool:
    """Whether instances come from Nova's databases."""
    if conf.firstlight.source != "auto":
        return bool(conf.firstlight.source == "nova")
    per_cell = conf.api.local_metadata_per_cell and conf.database.connection
    return bool(conf.api_database.connection or per_cell)


def lost_databases(conf: cfg.ConfigOpts) -> str:
    """Why files that are Nova's would leave the service with the embedded store; empty: they don't.

    Nova never reads that store, so without this every server would be told that it does not exist.
    """
    if conf.firstlight.source != "auto" or reads_nova(conf):
        return ""
    if conf.database.connection:
        files = [one.file for one in written(conf) if one.group == "database"]
        where = files[-1] if files else "the environment"
        return f"{where} has [database] connection without [api_database] connection"
    novas = [file for file in files_of(conf) if _is_novas(Path(file))]
    return f"{novas[-1]} is Nova's and has no [api_database] connection" if novas else ""


def _is_novas(file: Path) -> bool:
    return file.name in _NOVAS_FILES or file.parent.name in _NOVAS_FOLDERS
