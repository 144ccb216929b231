"""Where the log goes: oslo.log's options as operators have them, each working or refused in words.

oslo.log itself ends with a traceback where a file cannot be written or a library is missing, and
keeps quiet where a ``log_config_append`` that was made for another service has no place for ours.
"""

import logging
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from oslo_config import cfg
from oslo_log import formatters, log

from firstlight import log_records
from firstlight.conf import ConfigError
from firstlight.conf.journal import SOCKET, JournalHandler

LOG = logging.getLogger(__name__)

PROJECT = "firstlight"  # the parent of every logger here
_REMEDY = (
    "let the service's user write there, or set log_dir and log_file to another place (both empty:"
    " standard output)"
)
_LOGGER = f"add a logger with qualname = {PROJECT} and a handler to its [loggers]"


_OPTIONS = "log_*, use_*, logging_*, syslog_log_facility, default_log_levels"


class LogFile(NamedTuple):
    """The file of the log, and which option of [DEFAULT] names it."""

    path: str
    option: str


def begin(conf: cfg.ConfigOpts, service: str, *, journal: str = SOCKET) -> None:
    """Send the process's log where `conf` says; if that is nowhere, standard error says so.

    Args:
        service: whose log it is; its file in a ``log_dir`` is named after it.
        journal: the journal's socket.

    Raises:
        ConfigError: it cannot be sent there; the message names option and file, and what to set.
    """
    file = file_of(conf, service)
    if file is not None and file.option == "log_dir":
        # Services of different users share the directory, and cannot share a file.
        conf.set_override("log_file", f"firstlight-{service}.log")
    to_journal = conf.use_journal and not conf.log_config_append
    conf.set_override("use_journal", False)
    try:
        log.setup(conf, PROJECT)
        if to_journal:
            _add_journal(conf, service, journal, alone=file is None and not conf.use_stderr)
        _clean_parts()
        _try_formats()
    except Exception as error:  # a library's, or any class that log_config_append names
        raise ConfigError(_refused(conf, file, error)) from error
    nowhere = _nowhere()
    if nowhere is not None:
        option = where(conf, "log_config_append" if conf.log_config_append else "logging options")
        sys.stderr.write(f"firstlight {service}: {option}: the log is lost: {nowhere}\n")


def file_of(conf: cfg.ConfigOpts, service: str) -> LogFile | None:
    """The file that the log of `service` is written to; None: it is written to none.

    Which files a ``log_config_append`` names is not looked for.
    """
    if conf.log_config_append:
        return None
    if conf.log_file:
        return LogFile(os.path.join(conf.log_dir or "", conf.log_file), "log_file")  # noqa: PTH118  as oslo.log joins them
    if conf.log_dir:
        return LogFile(os.path.join(conf.log_dir, f"firstlight-{service}.log"), "log_dir")  # noqa: PTH118  as oslo.log joins them
    return None


def where(conf: cfg.ConfigOpts, option: str) -> str:
    """An option of [DEFAULT] as messages name it, with its file if one sets it."""
    try:
        found = conf.get_location(option)
    except cfg.NoSuchOptError:
        found = None
    file = found.detail if found is not None and found.location is cfg.Locations.user else ""
    return f"[DEFAULT] {option} in {file}" if file else f"[DEFAULT] {option}"


def is_json() -> bool:
    """Whether this process's log is of JSON lines, oslo.log's ``use_json`` or its formatter."""
    return any(map(_writes_json, _handlers()))


def _writes_json(handler: logging.Handler) -> bool:
    formatter = handler.formatter
    return isinstance(formatter, log_records.PartsFormatter) and isinstance(
        formatter.inner, formatters.JSONFormatter
    )


def _clean_parts() -> None:
    """Have what reads records past their text, for any logger, write as clean as lines are."""
    loggers = (logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict))
    for handler in [handler for logger in loggers for handler in logger.handlers]:
        if isinstance(handler.formatter, formatters.JSONFormatter | formatters.FluentFormatter):
            handler.setFormatter(log_records.PartsFormatter(handler.formatter))


def _add_journal(conf: cfg.ConfigOpts, service: str, path: str, *, alone: bool) -> None:
    if not os.path.exists(path):  # noqa: PTH110  as it is written, without a Path's changes
        LOG.warning("use_journal is set and %s is not there: the log goes elsewhere", path)
        return
    root = logging.getLogger()
    handler = JournalHandler(f"firstlight-{service}", _facility(conf.syslog_log_facility), path)
    handler.setFormatter(
        formatters.JSONFormatter(datefmt=conf.log_date_format)
        if conf.use_json
        else formatters.ContextFormatter(project=PROJECT, datefmt=conf.log_date_format, config=conf)
    )
    for other in list(root.handlers) if alone else ():  # what oslo.log adds where there is none
        if isinstance(other, logging.StreamHandler) and other.stream is sys.stdout:
            root.removeHandler(other)
    root.addHandler(handler)


def _try_formats() -> None:
    """Format a record once, with and without a traceback, as later ones will be.

    Raises:
        KeyError, TypeError, ValueError: a format names what no record has, or is none.
    """
    error = (RuntimeError, RuntimeError("never logged"), None)
    for handler in _handlers():
        for level, info in ((logging.INFO, None), (logging.DEBUG, error)):
            handler.format(logging.LogRecord(PROJECT, level, __file__, 0, "tried", (), info))


def _facility(name: str) -> int:
    """A facility of syslog by any of the names that oslo.log takes.

    Raises:
        ValueError: there is none of that name.
    """
    import syslog

    wanted = name.upper().removeprefix("LOG_")
    number = getattr(syslog, f"LOG_{wanted}", None)
    if number is None:
        raise ValueError(f"syslog_log_facility: there is no facility {name}")
    return int(number)


def _refused(conf: cfg.ConfigOpts, file: LogFile | None, error: Exception) -> str:
    if isinstance(error, OSError) and file is not None:
        said = error.strerror or error
        return f"{where(conf, file.option)}: {file.path} cannot be written ({said}); {_REMEDY}"
    if conf.log_config_append:
        why = getattr(error, "err_msg", None) or f"{type(error).__name__}: {error}"
        return (
            f"{where(conf, 'log_config_append')}: {conf.log_config_append} cannot be used ({why});"
            " correct that file for this service, or name another"
        )
    why = f"a format names {error}, which no record has" if isinstance(error, KeyError) else error
    return f"[DEFAULT] logging options ({_OPTIONS}) cannot be used: {why}"


def _nowhere() -> str | None:
    """Why even an error would not be kept; None: it would be."""
    logger = logging.getLogger(PROJECT)
    if not logger.isEnabledFor(logging.ERROR):
        level = logging.getLevelName(logger.getEffectiveLevel())
        return f"the level of the logger {PROJECT} is {level}"
    if not any(each.level <= logging.ERROR for each in _handlers()):
        return f"no handler takes an error of the logger {PROJECT}; {_LOGGER}"
    return None


def _handlers() -> Iterator[logging.Handler]:
    """The handlers that Firstlight's records get to, without those that do nothing."""
    logger: logging.Logger | None = logging.getLogger(PROJECT)
    while logger is not None:
        yield from (each for each in logger.handlers if not isinstance(each, logging.NullHandler))
        logger = logger.parent if logger.propagate else None
