"""Which files a service reads, and in which order: oslo.config's rules, as Nova and Neutron use it.

A later file wins. Files that are found without being named come first, then folders that are found,
then ``--config-file`` and ``--config-dir`` in the order in which they were typed. Naming a file
switches the search for files off, and naming a folder the search for folders; neither switches off
the other.
"""

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from oslo_config import cfg

# Names configuration files, separated by ``;``, where the command line names none.
FILES_VARIABLE = "FIRSTLIGHT_CONFIG_FILES"

_OWN = Path("/etc/firstlight")
_NOVA = "nova"
# The program name for which Nova's metadata service looks; before Nova 33 its WSGI application
# looked for the name of the program that it ran in.
_NOVA_PROGRAM = "nova-api-metadata"
_NAMES_ITSELF_SINCE = 33

# Neutron's agents are started with their file named, so it is not one that a search finds.
_AGENT_FILE = "/etc/neutron/metadata_agent.ini"
_OVN_FILE = "neutron_ovn_metadata_agent.ini"
_AGENT_PROGRAM = "neutron-metadata-agent"
_OVN_PROGRAM = "neutron-ovn-metadata-agent"
_PROGRAM_OF_FILE = {_OVN_FILE: _OVN_PROGRAM, "ovn_agent.ini": "neutron-ovn-agent"}
_OF_NEUTRON = {
    "agent": _AGENT_FILE,
    "proxy": _AGENT_FILE,
    "ovnmeta": f"/etc/neutron/{_OVN_FILE}",
}


class ConfigFiles(NamedTuple):
    """What oslo.config is to read.

    Attributes:
        arguments: ``--config-file=FILE`` and ``--config-dir=DIRECTORY``, as typed, and any option
            of oslo.log's between them.
        files: read first, unless the arguments name a file.
        directories: read next, unless the arguments name a folder.
    """

    arguments: Sequence[str]
    files: Sequence[str] = ()
    directories: Sequence[str] = ()

    def read(self) -> list[str]:
        """The files in the order in which they are read; later ones win."""
        read = [] if _names(self.arguments, _FILE) else [*self.files]
        if not _names(self.arguments, _DIRECTORY):
            read += _inside(self.directories)
        for argument in self.arguments:
            if argument.startswith(_FILE):
                read.append(argument.removeprefix(_FILE))
            elif argument.startswith(_DIRECTORY):
                read += _inside([argument.removeprefix(_DIRECTORY)])
        return [os.path.abspath(os.path.expanduser(file)) for file in read]  # noqa: PTH100, PTH111  as oslo.config does


_FILE, _DIRECTORY = "--config-file=", "--config-dir="


def as_typed(files: Iterable[str] = (), directories: Iterable[str] = ()) -> list[str]:
    """oslo.config's arguments for these files and, after them, folders."""
    return [*(_FILE + str(file) for file in files), *(_DIRECTORY + str(one) for one in directories)]


def files_named(typed: Iterable[str]) -> list[str]:
    """The files among oslo.config's arguments."""
    return [one.removeprefix(_FILE) for one in typed if one.startswith(_FILE)]


def find(
    service: str, typed: Sequence[str], environ: Mapping[str, str] = os.environ
) -> ConfigFiles:
    """What `service` reads if the command line says `typed`, see :func:`as_typed`.

    The metadata service reads what FIRSTLIGHT_CONFIG_FILES names, or its own file in
    /etc/firstlight, or where neither is there what Nova's would; nova.conf.d beside either, unless
    what was named says ``[firstlight] source = store``. Neutron's files come before an agent's own.
    """
    named = [name for name in environ.get(FILES_VARIABLE, "").split(";") if name]
    if service == "metadata":
        return _metadata(typed, named or _own(service), _nova_files())
    if service in _OF_NEUTRON:
        return _neutron(service, typed, named)
    # The store is the metadata service's.
    return ConfigFiles(typed, named or _own("metadata" if service == "store" else service))


def find_under_wsgi(environ: Mapping[str, str], argv: Sequence[str]) -> ConfigFiles:
    """What Nova's WSGI application would read: from its variables, or from /etc/nova.

    FIRSTLIGHT_CONFIG_FILES goes before Nova's variables, and these before a file of ours in
    /etc/firstlight. Under uWSGI, `argv` may name files as well (its ``pyargv``); under others it is
    not for us.
    """
    typed = _typed(argv) if _program(argv) == "uwsgi" else []
    named = [name for name in environ.get(FILES_VARIABLE, "").split(";") if name]
    if not named and not any(name in environ for name in _VARIABLES):
        named = _own("metadata")
    return _metadata(typed, named, _nova_variables(environ), _program(argv))


_VARIABLES = ("OS_NOVA_CONFIG_DIR", "OS_NOVA_CONFIG_FILES")


def _metadata(
    typed: Sequence[str], own: Sequence[str], nova: Sequence[str], program: str = _NOVA_PROGRAM
) -> ConfigFiles:
    files, said = own, _peek(typed, own)
    if said.source != "store" and not own:
        files, said = nova, _peek(typed, nova)
    if said.source == "store":
        return ConfigFiles(typed, files)
    if said.nova_release is None or said.nova_release >= _NAMES_ITSELF_SINCE:
        program = _NOVA_PROGRAM
    return ConfigFiles(typed, files, cfg.find_config_dirs(_NOVA, program))


def _neutron(service: str, typed: Sequence[str], named: Sequence[str]) -> ConfigFiles:
    program = _OVN_PROGRAM if service == "ovnmeta" else _AGENT_PROGRAM
    for file in [*named, *files_named(typed)]:
        program = _PROGRAM_OF_FILE.get(Path(file).name, program)
    directories = cfg.find_config_dirs("neutron", program)
    if named:
        return ConfigFiles(typed, named, directories)
    agent = [file for file in (_OF_NEUTRON[service],) if Path(file).exists()]
    found = cfg.find_config_files("neutron", program)
    return ConfigFiles(typed, [*_dist("neutron"), *found, *agent, *_own(service)], directories)


def _nova_files() -> list[str]:
    return [*_dist(_NOVA), *cfg.find_config_files(_NOVA, _NOVA_PROGRAM)]


def _dist(project: str) -> list[str]:
    """Red Hat's defaults, which its oslo.config reads before everything else."""
    file = Path("/usr/share") / project / f"{project}-dist.conf"
    return [str(file)] if file.exists() else []


def _nova_variables(environ: Mapping[str, str]) -> list[str]:
    """As Nova has it: its paste file is read as well. Only that one may be missing here."""
    directory = Path(environ.get("OS_NOVA_CONFIG_DIR", "/etc/nova").strip())
    names = environ.get("OS_NOVA_CONFIG_FILES", "") or "api-paste.ini;nova.conf"
    files = [directory / name for name in names.split(";") if name]
    return [str(file) for file in files if file.exists() or not file.name.endswith("paste.ini")]


def _own(service: str) -> list[str]:
    file = _OWN / f"{service}.conf"
    return [str(file)] if file.exists() else []


def _names(arguments: Iterable[str], kind: str) -> bool:
    return any(argument.startswith(kind) for argument in arguments)


def _inside(directories: Iterable[str]) -> list[str]:
    """As oslo.config finds them: hidden files are not read."""
    found = []
    for directory in directories:
        folder = os.path.expanduser(directory)  # noqa: PTH111  as oslo.config does
        found += sorted(glob.glob(os.path.join(folder, "*.conf")))  # noqa: PTH118, PTH207  as oslo.config does
    return found


def _program(argv: Sequence[str]) -> str:
    return os.path.basename(argv[0] if argv else "").removesuffix(".py")  # noqa: PTH119  as oslo.config does


def _typed(argv: Sequence[str]) -> list[str]:
    """The two options, each with its value behind ``=`` or in the next word."""
    typed, words = [], iter(argv[1:])
    for word in words:
        if word in ("--config-file", "--config-dir"):
            typed.append(f"{word}={next(words, '')}")
        elif word.startswith((_FILE, _DIRECTORY)):
            typed.append(word)
    return typed


class _Said(NamedTuple):
    """What decides where else is looked: ``[firstlight]`` of the files that are known already."""

    source: str = "auto"
    nova_release: int | None = None


def _peek(typed: Sequence[str], files: Sequence[str]) -> _Said:
    """What these files say; nothing if they cannot be read, which `load` reports."""
    conf = cfg.ConfigOpts()
    conf.register_opt(cfg.StrOpt("source", default="auto"), group="firstlight")
    conf.register_opt(cfg.IntOpt("nova_release"), group="firstlight")
    try:
        named = [one for one in typed if one.startswith((_FILE, _DIRECTORY))]
        conf(named, default_config_files=[*files], default_config_dirs=[])
        return _Said(conf.firstlight.source, conf.firstlight.nova_release)
    except (cfg.Error, OSError, ValueError):
        return _Said()
