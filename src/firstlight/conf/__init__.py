"""oslo.config options, one module per section, and how each service loads its own.

Each service has a ConfigOpts of its own, because the same name means different things in the
files that operators hand us: ``[neutron]`` is Nova's in a nova.conf and pcss's in a pcss file.
Nothing here is global: :func:`load` makes a new object each time.
"""

import io
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from functools import lru_cache
from types import ModuleType

from oslo_config import cfg
from oslo_log import log

from firstlight import log_records
from firstlight.conf import (
    api,
    cache,
    common,
    compat_mode,
    firstlight,
    keystone_authtoken,
    metadata_agent,
    neutron,
    nova,
    ovn,
    ovs,
    pcss,
    pollinate,
    provider_neutron,
    recognition,
    relay,
    relay_broker,
    relay_proxy,
    service_auth,
    store,
    vault,
    vendordata,
    vendordata_dynamic_auth,
    vendordata_target,
)
from firstlight.conf.compat_mode import CompatMode
from firstlight.conf.names import Moved, RecordedRelease, moved, release_of, with_former_names
from firstlight.conf.reading.files import usual_files
from firstlight.conf.reading.misspelt import (
    Misspelt,
    decides_access,
    misspelt_in_named,
    misspelt_of_ours,
    misspelt_of_theirs,
    misspelt_sections,
)
from firstlight.conf.reading.search import (
    FILES_VARIABLE,
    ConfigFiles,
    as_typed,
    find,
    find_under_wsgi,
)
from firstlight.conf.reading.written import Configuration, files_of, written

# What each service reads. Order is the order of its sample file.
SERVICES: dict[str, tuple[ModuleType, ...]] = {
    "store": (common, firstlight, store),
    "metadata": (
        common,
        firstlight,
        store,
        api,
        cache,
        nova,
        neutron,
        vendordata_dynamic_auth,
        vendordata_target,
    ),
    "vendordata": (
        vendordata,
        compat_mode,
        keystone_authtoken,
        service_auth,
        provider_neutron,
        vault,
        pollinate,
        pcss,
    ),
    "agent": (metadata_agent, relay, recognition, ovn, neutron, store),
    "broker": (common, relay_broker),
    "ovnmeta": (common, ovn, ovs),
    "proxy": (
        metadata_agent,
        relay,
        relay_broker,
        relay_proxy,
        recognition,
        ovn,
        neutron,
        store,
    ),
}


# Sections that no service but ours has, and the services that read Nova's or Neutron's beside them.
_OURS = ("firstlight", "store", "relay")
_READ_THEIRS = ("metadata", "agent", "proxy", "ovnmeta")

# How oslo.config names a file in the message about a bad value.
_LOCATION = re.compile(r"LocationInfo\(location=<[^>]*>, detail='([^']*)'\)")

# How it names an option that may be typed, such as debug, in the message about a bad value.
_REFUSED = re.compile(r"(?s)\A(?:usage: .*)?argument --(\w+): (.*)")

# Libraries that tell about themselves at every start.
_QUIET = ("alembic=WARN", "oslo_service=WARN")


LOG = logging.getLogger(__name__)


class ConfigError(Exception):
    """A configuration that cannot be used; the message names file, option and remedy."""


def load(
    service: str,
    config_files: Sequence[str] = (),
    config_dirs: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
    *,
    stand_in_for: CompatMode | None = None,
) -> cfg.ConfigOpts:
    """The configuration of `service` from these files and, after them, the folders' ``*.conf``.

    From then on the process logs as :mod:`firstlight.log_records` says. See :func:`load_typed` for
    where it is looked if none are given, and for what can go wrong.
    """
    return load_typed(
        service, as_typed(config_files, config_dirs), environ, stand_in_for=stand_in_for
    )


def load_typed(
    service: str,
    typed: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    *,
    stand_in_for: CompatMode | None = None,
) -> cfg.ConfigOpts:
    """The configuration of `service` as the command line names it, or from the usual places.

    Args:
        typed: ``--config-file=FILE`` and ``--config-dir=DIRECTORY`` in the order given.
        environ: FIRSTLIGHT_CONFIG_FILES names files if none are typed, separated by ``;``.
        stand_in_for: a vendordata service that was started in this one's name looks where that one
            did, and takes its shape unless [firstlight] shape says otherwise.

    Raises:
        ConfigError: a file is missing or unreadable, an option has a value it cannot have, or a
            name that is no option stands where options decide which callers get what.
    """
    found = find(service, typed, environ)
    if stand_in_for is not None and not environ.get(FILES_VARIABLE):
        found = found._replace(files=usual_files(stand_in_for, environ))
    return _load(service, found, stand_in_for)


def load_under_wsgi(environ: Mapping[str, str], argv: Sequence[str]) -> cfg.ConfigOpts:
    """The metadata service's, from where Nova's WSGI application would have it.

    Raises:
        ConfigError: see :func:`load_typed`.
    """
    return _load("metadata", find_under_wsgi(environ, argv), None)


def _load(service: str, found: ConfigFiles, stand_in_for: CompatMode | None) -> cfg.ConfigOpts:
    conf = Configuration(service)
    log.register_options(conf)
    log_records.install()
    conf.set_default("default_log_levels", [*log.get_default_log_levels(), *_QUIET])
    try:
        with _refusals():
            conf(
                [*found.arguments],
                project="firstlight",
                prog=f"firstlight {service}",
                default_config_files=[*found.files],
                default_config_dirs=[*found.directories],
            )
        conf.files_read = found.read()
        # Not before: which names an option has depends on what the files say.
        novas = nova_release(conf).number if service == "metadata" else None
        register(conf, SERVICES[service], novas)
        if stand_in_for is not None:
            conf.set_default("shape", stand_in_for.value, group="firstlight")
        _read_all(conf, SERVICES[service])
        _read_named(conf, SERVICES[service])
        _read_logging(conf)
    except cfg.ConfigFileParseError as error:
        raise ConfigError(f"configuration of firstlight {service}: {_unparsed(error)}") from error
    except (cfg.Error, OSError, ValueError) as error:
        raise ConfigError(f"configuration of firstlight {service}: {_in_words(error)}") from error
    _refuse(conf, service)
    return conf


@contextmanager
def _refusals() -> Iterator[None]:
    """oslo.config ends the process where an option that may be typed, such as debug, has a value it
    cannot have, in a file as well; here that is a ValueError with what it said."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            yield
    except SystemExit as error:
        raise ValueError(_REFUSED.sub(r"[DEFAULT] \1: \2", said.getvalue().strip())) from error
    sys.stderr.write(said.getvalue())


def _refuse(conf: cfg.ConfigOpts, service: str) -> None:
    """What is readable and yet means something else than was meant."""
    found = [one for one in misspelt(conf) if decides_access(one)]
    if service == "metadata":
        found += misspelt_in_named(conf, vendordata_target.PREFIX, vendordata_target.names(conf))
    refuse_misspelt(found)


def refuse_misspelt(found: Iterable[Misspelt]) -> None:
    """End the start: without the option that was meant more may be given away than was meant.

    Raises:
        ConfigError: there is one.
    """
    if said := "; ".join(map(str, found)):
        raise ConfigError(f"{said}. It may decide which callers get what, so nothing is started")


def _in_words(error: Exception) -> str:
    """The message, with the file's name for oslo.config's inner words for it."""
    return _LOCATION.sub(r"\1", str(error))


def _unparsed(error: cfg.ConfigFileParseError) -> str:
    """Where and why, without the line itself, which oslo.config would show: it may be a secret."""
    line = getattr(error.__context__, "lineno", None)
    why = getattr(error.__context__, "msg", "it cannot be parsed")
    return f"{error.config_file}, line {line}: {why}" if line else f"{error.config_file}: {why}"


def register(conf: cfg.ConfigOpts, modules: Iterable[ModuleType], novas: int | None = None) -> None:
    """Make these sections' options known to `conf`, with the names of Nova's release `novas`."""
    for module in modules:
        for group, options in _sections(module):
            named = options
            if novas is not None and not hasattr(module, "options"):
                named = with_former_names(group, options, novas)
            conf.register_opts(named, group=None if group == "DEFAULT" else group)


def nova_release(conf: cfg.ConfigOpts) -> RecordedRelease:
    """The release of Nova whose names the metadata service takes from these files."""
    register(conf, [firstlight])
    return release_of(written(conf), _nova_options(), conf.firstlight.nova_release)


def moved_options(conf: cfg.ConfigOpts) -> list[Moved]:
    """Options that stand where only older releases of Nova look for them."""
    return list(moved(written(conf), _nova_options(), nova_release(conf).number))


def misspelt(conf: cfg.ConfigOpts) -> list[Misspelt]:
    """Names in the files that have no effect and look as if they were meant to have one."""
    service = conf.service if isinstance(conf, Configuration) else ""
    found = list(misspelt_of_ours(conf, known_names(*_OURS)))
    if service in _READ_THEIRS:
        sections = {group for module in SERVICES[service] for group, _ in _sections(module)}
        found += misspelt_of_theirs(conf, sorted(sections.difference(_OURS)))
        found += misspelt_sections(conf, sorted(sections))
    return found


def warn_of_names(conf: cfg.ConfigOpts) -> None:
    """Name, once, the options that have no effect or soon will have none under their names."""
    for one in misspelt(conf):
        LOG.warning("%s", one)
    if isinstance(conf, Configuration) and conf.service == "metadata":
        for gone in moved_options(conf):
            LOG.warning("%s", gone)


@lru_cache
def _nova_options() -> list[tuple[str, str]]:
    """Those that the metadata service reads of Nova's."""
    return [
        (group, option.dest)
        for module in SERVICES["metadata"]
        if not hasattr(module, "options")
        for group, options in module.OPTIONS
        for option in options
    ]


def _read_all(conf: cfg.ConfigOpts, modules: Iterable[ModuleType]) -> None:
    """Read every option once, so that a bad value stops the start and not the first request.

    What the service does not look at under this configuration (a module's ``is_used(conf)``) stops
    nothing, as it does not stop Nova.
    """
    for module in modules:
        if hasattr(module, "is_used") and not module.is_used(conf):
            continue
        for group, options in _sections(module):
            _read(conf, group, options)


def _read_named(conf: cfg.ConfigOpts, modules: Iterable[ModuleType]) -> None:
    """The same for sections whose names are options' values: a module's ``named(conf)``."""
    for module in modules:
        for group, options in module.named(conf) if hasattr(module, "named") else ():
            conf.register_opts(options, group=group)
            _read(conf, group, options)


def _read_logging(conf: cfg.ConfigOpts) -> None:
    """The same for what oslo.log reads at the start; those that may be typed are read by now."""
    if not conf.log_config_append:
        for name in ("use_stderr", "log_color", "publish_errors"):
            getattr(conf, name)


def _read(conf: cfg.ConfigOpts, group: str, options: Iterable[cfg.Opt]) -> None:
    section = conf if group == "DEFAULT" else conf[group]
    for option in options:
        getattr(section, option.dest)


def known_names(*groups: str) -> dict[str, set[str]]:
    """By section, the options that any service of ours has; for those that no library fills."""
    known: dict[str, set[str]] = {group: set() for group in groups}
    modules = dict.fromkeys(module for service in SERVICES.values() for module in service)
    for module in modules:
        for group, options in () if hasattr(module, "options") else module.OPTIONS:
            if group in known:
                known[group] |= {option.dest for option in options}
    return known


def list_metadata_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``firstlight.metadata``."""
    return _list("metadata")


def list_vendordata_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``firstlight.vendordata``."""
    return _list("vendordata")


def list_agent_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``firstlight.agent``."""
    return _list("agent")


def list_broker_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``firstlight.broker``."""
    return _list("broker")


def list_proxy_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``firstlight.proxy``."""
    return _list("proxy")


def list_pcss_service_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``pcss.vendordata.service``, as it always was."""
    return [_some("listen", "port")]


def list_pcss_neutron_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``pcss.vendordata.neutron``."""
    return _sample(provider_neutron)


def list_pollinate_options() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: namespace ``pollinate``; [vault] as well, which it left out."""
    shared = _some("auth_strategy", "providers")
    return [shared, *_sections(pollinate), *_sample(service_auth), _sections(vault)[0]]


def share_with_plugins(conf: cfg.ConfigOpts, shared: cfg.ConfigOpts) -> None:
    """Have `shared` know what `conf` was read from: nova-pollinate's plug-ins look into cfg.CONF.

    Raises:
        ConfigError: an option that a plug-in registered has a value it cannot have.
    """
    _share(conf, shared, (pollinate, service_auth, vault), "options of nova-pollinate's plug-ins")


def share_with_libraries(
    conf: cfg.ConfigOpts, service: str, shared: cfg.ConfigOpts = cfg.CONF
) -> None:
    """Have `shared` know what `conf` was read from: some libraries look into cfg.CONF.

    oslo.concurrency does under oslo.messaging's queue manager, and so do oslo.log's publish_errors
    and others: Nova and Neutron have no other object.

    Args:
        conf: of a process that serves `service`, to whose options files refer by ``$name``.

    Raises:
        ConfigError: an option that a library registered has a value it cannot have.
    """
    _share(conf, shared, SERVICES[service], f"configuration of firstlight {service}")


def _share(
    conf: cfg.ConfigOpts, shared: cfg.ConfigOpts, modules: Iterable[ModuleType], whose: str
) -> None:
    for module in modules:
        for group, options in _sections(module):
            for option in options:
                # Others may have made an option of this name known, with another default.
                section = None if group == "DEFAULT" else group
                with suppress(cfg.DuplicateOptError):
                    shared.register_opt(option, section)
                shared.set_default(option.dest, option.default, section)
    files = [f"--config-file={file}" for file in files_of(conf)]
    try:
        shared(files, project="firstlight", default_config_files=[], default_config_dirs=[])
    except (cfg.Error, ValueError) as error:
        raise ConfigError(f"{whose}: {_in_words(error)}") from error


def _some(*names: str) -> tuple[str, list[cfg.Opt]]:
    """Options of the vendordata service's [DEFAULT], by name."""
    group, options = _sections(vendordata)[0]
    return group, [option for option in options if option.dest in names]


def _list(service: str) -> list[tuple[str, list[cfg.Opt]]]:
    return [entry for module in SERVICES[service] for entry in _sample(module)]


def _sections(module: ModuleType) -> list[tuple[str, list[cfg.Opt]]]:
    """A module's ``OPTIONS``, or what its ``options()`` takes from a library of an extra."""
    sections: list[tuple[str, list[cfg.Opt]]] = (
        module.options() if hasattr(module, "options") else module.OPTIONS
    )
    return sections


def _sample(module: ModuleType) -> list[tuple[str, list[cfg.Opt]]]:
    """What the sample shows of a module: its ``sample()`` where that is more than is registered."""
    return module.sample() if hasattr(module, "sample") else _sections(module)
