"""The logs: can they be written where the options say, and is anything of them kept?"""

import configparser
from collections.abc import Iterator
from pathlib import Path

from oslo_config import cfg

from firstlight.check.option_location import place
from firstlight.check.step import Finding, Step, broken, ok, warning
from firstlight.check.steps.unit import Writer
from firstlight.conf import logs
from firstlight.conf.journal import SOCKET


def step(conf: cfg.ConfigOpts, service: str) -> Step:
    """Nothing is opened and nothing is made."""
    return Step("log", lambda: _look(conf, service, Writer.of(service)))


def _look(conf: cfg.ConfigOpts, service: str, writer: Writer) -> Iterator[Finding]:
    found = [*_service_log(conf, service, writer), *_access_log(conf, service, writer)]
    if not found:
        file = logs.file_of(conf, service)
        found.append(ok("standard output or the journal" if file is None else file.path))
    yield from found


def _service_log(conf: cfg.ConfigOpts, service: str, writer: Writer) -> Iterator[Finding]:
    if conf.log_config_append:
        yield from _appended(conf)
        return
    file = logs.file_of(conf, service)
    if file is not None:
        why = writer.refused(Path(file.path))
        if why is not None:
            yield broken(
                f"the log {file.path} cannot be written: {why}",
                place(conf, "DEFAULT", file.option),
                remedy="the service does not start: give the directory to its user, or set log_dir"
                " and log_file to another place (both empty: standard output)",
            )
    if conf.use_journal and not Path(SOCKET).exists():
        yield warning(
            f"there is no journal here ({SOCKET}): the log goes where it would go without",
            place(conf, "DEFAULT", "use_journal"),
            remedy="nothing, if standard output is kept; else set log_dir",
        )


def _access_log(conf: cfg.ConfigOpts, service: str, writer: Writer) -> Iterator[Finding]:
    group = "relay" if service in ("agent", "proxy") else "firstlight"
    path = conf[group].access_log
    why = writer.refused(Path(path)) if path not in ("", "-") else None
    if why is not None:
        yield broken(
            f"the access log {path} cannot be written: {why}",
            place(conf, group, "access_log"),
            remedy="the service does not start: give the directory to its user, or set it to - for"
            " standard error",
        )


def _appended(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """The file of logging.config, as far as it can be judged without opening its logs."""
    where, path = place(conf, "DEFAULT", "log_config_append"), conf.log_config_append
    remedy = "the service does not start: correct that file, or name another"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with Path(path).open() as file:
            parser.read_file(file)
        kept = _is_kept(parser)
    except OSError as error:
        yield broken(f"{path} cannot be read: {error.strerror}", where, remedy=remedy)
    except (configparser.Error, UnicodeDecodeError, KeyError) as error:
        said = str(error).replace("\n", " ")
        yield broken(f"{path} is no logging configuration: {said}", where, remedy=remedy)
    else:
        if not kept:
            yield warning(
                f"{path} keeps nothing of this service's log",
                where,
                remedy=f"add a logger with qualname = {logs.PROJECT} and a handler to [loggers]",
            )


def _is_kept(parser: configparser.ConfigParser) -> bool:
    """Whether what the logger of ours, else the root's, is given to does anything with it."""
    loggers = [parser[f"logger_{key}"] for key in _words(parser["loggers"]["keys"])]
    # The root is logger_root, and has no qualname.
    by_name = {each.get("qualname", "root"): each for each in loggers}
    ours = by_name.get(logs.PROJECT)
    heard = [] if ours is None else [ours]
    if ours is None or ours.get("propagate", "1") != "0":
        heard.append(by_name["root"])
    handlers = [key for each in heard for key in _words(each.get("handlers", ""))]
    classes = [parser[f"handler_{key}"]["class"] for key in handlers]
    return any(not each.endswith("NullHandler") for each in classes)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
