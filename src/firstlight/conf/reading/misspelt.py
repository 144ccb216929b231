"""Names in the files that no service knows, in sections that are read."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from oslo_config import cfg

from firstlight.conf.names import lower, name_of, recorded
from firstlight.conf.reading.written import Written, written

# How much of a name must be right for another to be meant; ``secert`` for ``secret`` is 0.83.
_ALIKE = 0.8
# Options that decide which callers may have what; the sections of providers and targets decide it
# as a whole.
_ACCESS = {
    "firstlight": ("previous_shared_secrets", "required_roles", "status_listen"),
    "relay": ("proxy_user",),
}


class Misspelt(NamedTuple):
    """An option that has no effect under this name, and the one that may be meant (or empty)."""

    written: Written
    meant: str = ""

    def __str__(self) -> str:
        one = self.written
        asked = f" (did you mean {self.meant}?)" if self.meant else ""
        return f"[{one.group}] {one.name} in {one.file} is no option{asked}, so it has no effect"


def misspelt_of_theirs(conf: cfg.ConfigOpts, sections: Iterable[str]) -> Iterator[Misspelt]:
    """In sections of Nova's and Neutron's: names like one that is read, and that no release has."""
    read = {lower(section): _registered(conf, section) for section in sections}
    for one in written(conf):
        section, name = name_of(one)
        if section in read and name not in read[section] and not _is_theirs(section, name):
            meant = _like(name, read[section])
            if meant:
                yield Misspelt(one, meant)


def misspelt_sections(conf: cfg.ConfigOpts, sections: Iterable[str]) -> Iterator[Misspelt]:
    """Options below a header that no release has, like the one of a section that is read."""
    read = {lower(section): section for section in sections}
    known = read.keys() | {section for section, _ in _theirs()} | set(map(lower, conf))
    for one in written(conf):
        section, name = name_of(one)
        meant = "" if section in known else _like(section, read)
        if meant:
            yield Misspelt(one, f"[{read[meant]}] {name}")


def misspelt_of_ours(conf: cfg.ConfigOpts, known: Mapping[str, set[str]]) -> Iterator[Misspelt]:
    """In sections that are ours alone: every name that is not among the `known`."""
    for one in written(conf):
        section, name = name_of(one)
        if section in known and name not in known[section]:
            yield Misspelt(one, _like(name, known[section]))


def misspelt_in_named(
    conf: cfg.ConfigOpts, prefix: str, names: Iterable[str]
) -> Iterator[Misspelt]:
    """In sections ``PREFIX:NAME``, whose options are registered: unknown ones, whole sections too.

    A section is misspelt if it is like that of one of the `names` which has none; another one may
    be there for what is not enabled.
    """
    wanted = {f"{prefix}{name}".lower(): f"{prefix}{name}" for name in names}
    found = [one for one in written(conf) if one.group.lower().startswith(prefix)]
    without = wanted.keys() - {one.group.lower() for one in found}
    for one in found:
        section = wanted.get(one.group.lower())
        if section is None:
            others = [other.removeprefix(prefix) for other in without]
            if meant := _like(one.group.lower().removeprefix(prefix), others):
                yield Misspelt(one, f"[{prefix}{meant}]")
        elif one.name not in conf[section]:
            yield Misspelt(one, _like(one.name, conf[section]))


def decides_access(one: Misspelt) -> bool:
    """Whether what was meant may have kept a caller from something."""
    section, name = name_of(one.written)
    return bool(_like(name, _ACCESS.get(section, ())))


def _like(name: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(name, list(known), 1, _ALIKE)), "")


def _is_theirs(section: str, name: str) -> bool:
    """Whether any recorded release has it, under its own name or as a deprecated one."""
    return (section, name) in _theirs()


def _theirs() -> set[tuple[str, str]]:
    records = (recorded("nova"), recorded("neutron"))
    current = {name for record in records for name in record}
    spans = (span for record in records for found in record.values() for span in found)
    return current | {old for span in spans for old in span.formerly}


def _registered(conf: cfg.ConfigOpts, section: str) -> set[str]:
    """What is read there, by the service itself and by the credentials that its section names."""
    if section == "DEFAULT":
        return {name for name in conf if not _is_section(conf, name)}
    names = set(conf[section]) if section in conf else set()
    if "auth_type" in names:
        names |= _credentials(conf[section].auth_type)
    return names


def _is_section(conf: cfg.ConfigOpts, name: str) -> bool:
    try:
        return isinstance(conf[name], cfg.ConfigOpts.GroupAttr)
    except (cfg.Error, ValueError):  # an option whose value cannot be read, and need not be
        return False


def _credentials(auth_type: str | None) -> set[str]:
    """The options of a keystoneauth plugin, under all their names."""
    from keystoneauth1 import loading
    from keystoneauth1.exceptions import NoMatchingPlugin

    try:
        options = loading.get_auth_plugin_conf_options(auth_type) if auth_type else []
    except NoMatchingPlugin:  # said where it is opened
        return set()
    return {one.dest for one in options} | {
        (old.name or one.dest).replace("-", "_") for one in options for old in one.deprecated_opts
    }
