"""What becomes of every option in the deployments' files.

``python tests/deployments/options.py`` writes it into docs/deployment-files.md.

Whether one is read, and which is warned of, comes from the code. Why one is left alone is said
here, because only a person knows: by section and name, by section, or by name for [DEFAULT].
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import oslo_messaging.opts
from keystoneauth1 import loading
from oslo_config import cfg
from oslo_log import log

from deployments.deployment import NAMES, load, options_of
from firstlight import conf
from firstlight.conf.names import moves, releases, shown
from firstlight.conf.reading.unhonoured import _NOT_OURS

SERVICES = {"metadata": "the metadata service", "agent": "the metadata agent"}
_PLUGINS = ("password", "v3applicationcredential")
_BUS = "oslo.messaging"
_NOTHING_ELSE = "of another service or of nova-compute; the metadata service has no use for it"
_OF_NEUTRON = "of Neutron's server or of another agent"
_AUTH = "tokens of users are not checked: requests are signed"
_DRIVERS = "of the libvirt driver or of consoles"
_POOL = "connections are renewed and tried again by Firstlight's rules ([firstlight] cold_threads)"

# (service, section, name) → why; an empty name stands for the rest of the section.
REASONS: dict[tuple[str, str, str], str] = {
    ("metadata", "DEFAULT", ""): _NOTHING_ELSE,
    (
        "metadata",
        "DEFAULT",
        "lock_path",
    ): "nothing here takes a lock between processes by that name",
    ("metadata", "DEFAULT", "verbose"): "gone from oslo.log since Newton; debug is what there is",
    ("metadata", "DEFAULT", "network_api_class"): "gone from Nova since Ussuri: it is Neutron",
    ("metadata", "DEFAULT", "metadata_host"): "gone from Nova with nova-network",
    ("metadata", "DEFAULT", "enabled_apis"): "the service is the metadata API and nothing else",
    ("metadata", "DEFAULT", "osapi_compute_listen"): "of Nova's other API",
    (
        "metadata",
        "DEFAULT",
        "graceful_shutdown_timeout",
    ): "[firstlight] says how long an end may last",
    ("metadata", "DEFAULT", "force_config_drive"): "of nova-compute",
    ("metadata", "api", "auth_strategy"): _AUTH,
    ("metadata", "api", "max_limit"): "of Nova's other API",
    ("metadata", "api", "response_validation"): "of Nova's other API",
    ("metadata", "database", ""): _POOL,
    ("metadata", "api_database", ""): _POOL,
    (
        "metadata",
        "neutron",
        "url",
    ): "gone from Nova since Stein; endpoint_override is what there is",
    ("metadata", "neutron", "auth_strategy"): "gone from Nova since Ocata; auth_type decides",
    ("metadata", "neutron", "auth_version"): "no option of Nova's; auth_url and auth_type decide",
    ("metadata", "neutron", ""): "used where ports are plugged and floating addresses are given",
    ("metadata", "keystone_authtoken", ""): _AUTH,
    (
        "metadata",
        "service_user",
        "",
    ): "no token of a user is passed on, so none has to be completed",
    ("metadata", "barbican_service_user", ""): "keys are not asked for",
    ("metadata", "oslo_middleware", "max_request_body_size"): (
        "bodies have a limit of their own, which no password that Nova takes comes near"
    ),
    **{
        ("metadata", section, ""): why
        for why, sections in {
            "images are not asked for": ("glance",),
            "volumes are in Nova's database": ("cinder",),
            "keys are not asked for": ("barbican", "key_manager"),
            "placement is not asked": ("placement",),
            "of Nova's scheduler": ("scheduler", "filter_scheduler", "upgrade_levels"),
            "of nova-conductor, which is not asked": ("conductor",),
            "of nova-compute": ("image_cache", "guestfs", "privsep_entrypoint", "vif_plug_ovs"),
            _DRIVERS: ("libvirt", "vnc", "spice", "serial_console"),
            "no policy, quota or audit applies to guests": (
                *("oslo_policy", "quota", "oslo_limit"),
                "audit_middleware_notifications",
            ),
            "of the services that notify": ("notifications",),
            "gone from Nova": ("cells", "osapi_v3", "os_region_name"),
        }.items()
        for section in sections
    },
    ("metadata", "oslo_messaging_rabbit", ""): (
        "gone from oslo.messaging, or no name that it has had"
    ),
    ("agent", "DEFAULT", ""): _OF_NEUTRON,
    (
        "agent",
        "DEFAULT",
        "metadata_workers",
    ): "counts Neutron's threads, of which there are none here",
    ("agent", "DEFAULT", "verbose"): "gone from oslo.log since Newton; debug is what there is",
    ("agent", "DEFAULT", "cache_url"): "gone from Neutron since Newton; [relay] says how long",
    ("agent", "DEFAULT", "lock_path"): "gone from Neutron; [oslo_concurrency] lock_path is read",
    ("agent", "agent", "polling_interval"): _OF_NEUTRON,
    ("agent", "agent", ""): "the agent runs no command as root",
    ("agent", "cache", ""): "the servers that ask are remembered in the process ([relay])",
    ("agent", "oslo_messaging_notifications", ""): "the agent sends no notifications",
    ("agent", "oslo_messaging_rabbit", ""): "gone from oslo.messaging, or no name that it has had",
    ("agent", "oslo_middleware", ""): "a guest's headers decide nothing",
    ("agent", "ovn", "ovn_metadata_enabled"): "of Neutron's server",
    ("agent", "privsep", ""): "the agent runs no command as root",
    **{
        ("agent", section, ""): _OF_NEUTRON
        for section in (
            *("database", "keystone_authtoken", "nova", "placement", "oslo_policy", "experimental"),
        )
    },
}


class Fate(NamedTuple):
    """What becomes of one option, and why if nothing does."""

    what: str  # honoured, warned, ignored
    why: str


def fates() -> dict[tuple[str, str, str], Fate]:
    """Of each option of each service that any deployment's file has.

    Raises:
        KeyError: one is ignored, and no reason is given.
    """
    found = {}
    for service in SERVICES:
        read, bus = _read_by(service), _read_by_oslo_messaging()
        moved = _moved() if service == "metadata" else {}
        for section, name in sorted(_written(service)):
            key = service, section, name
            if name in read[section] or section == "oslo_concurrency":
                found[key] = Fate("honoured", "")
            elif (section, name) in moved:
                found[key] = Fate("honoured", moved[section, name])
            elif (section, name) in _NOT_OURS and service == "metadata":
                found[key] = Fate("warned", _NOT_OURS[section, name][1])
            elif name in bus[section] and not _why(service, section, name, own=True):
                found[key] = Fate("honoured", f"by {_BUS}")
            else:
                found[key] = Fate("ignored", _why(service, section, name))
    return found


def _why(service: str, section: str, name: str, *, own: bool = False) -> str:
    alone = REASONS.get((service, section, name), "")
    if own:  # only what is said of this option, or of a section of which nothing is read
        shared = section in ("DEFAULT", "oslo_messaging_rabbit")
        return alone or ("" if shared else REASONS.get((service, section, ""), ""))
    return alone or REASONS[service, section, ""]


def _moved() -> dict[tuple[str, str], str]:
    """Names that an option of ours lost in one of Nova's releases, with what becomes of them."""
    read = [(section, name) for section, names in _read_by("metadata").items() for name in names]
    return {
        move.old: (
            f"as {shown(move.new)} in files for Nova {move.first} to {move.last}; later ones ignore"
            " it, and the service warns"
        )
        for move in moves(read)
        if move.last < releases("nova")[-1]
    }


def _written(service: str) -> set[tuple[str, str]]:
    return {
        ("DEFAULT" if section == "DEFAULT" else section.lower(), name)
        for deployment in map(load, NAMES)
        for path in deployment.files_of(service)
        for section, name, _ in options_of(path)
    }


def _read_by(service: str) -> defaultdict[str, set[str]]:
    """Every name of every option that the service registers, and of [neutron]'s plug-ins."""
    read: defaultdict[str, set[str]] = defaultdict(set)
    for module in conf.SERVICES[service]:
        for section, options in conf._sections(module):
            for option in options:
                _add(read, section, option)
    logging = cfg.ConfigOpts()
    log.register_options(logging)
    for entry in logging._opts.values():
        _add(read, "DEFAULT", entry["opt"])
    for plugin in _PLUGINS:
        for option in loading.get_auth_plugin_conf_options(plugin):
            _add(read, "neutron", option)
    return read


def _read_by_oslo_messaging() -> defaultdict[str, set[str]]:
    read: defaultdict[str, set[str]] = defaultdict(set)
    for section, options in oslo_messaging.opts.list_opts():
        for option in options:
            _add(read, section or "DEFAULT", option)
    return read


def _add(read: defaultdict[str, set[str]], section: str, option: cfg.Opt) -> None:
    read[section if section == "DEFAULT" else section.lower()].add(option.dest)
    for old in option.deprecated_opts:
        group = old.group or section
        name = (old.name or option.dest).replace("-", "_")
        read[group if group == "DEFAULT" else group.lower()].add(name)


def table(service: str) -> str:
    """The Markdown table of one service."""
    rows: defaultdict[tuple[str, Fate], list[str]] = defaultdict(list)
    for (of, section, name), fate in fates().items():
        if of == service:
            rows[section, fate].append(name)
    lines = ["| section | options | what becomes of them |", "| --- | --- | --- |"]
    order = {"honoured": 0, "warned": 1, "ignored": 2}
    for (section, fate), names in sorted(
        rows.items(), key=lambda row: (row[0][0] != "DEFAULT", row[0][0], order[row[0][1].what])
    ):
        words = ", ".join(f"`{name}`" for name in names)
        what = f"{fate.what}: {fate.why}" if fate.why else fate.what
        lines.append(f"| `[{section}]` | {words} | {what} |")
    return "\n".join(lines) + "\n"


def tools() -> str:
    """The Markdown table of the deployments."""
    lines = ["| tool | release | runs the metadata service as |", "| --- | --- | --- |"]
    lines += [
        f"| {each.tool} | {each.release} | {_how(each.metadata)} |" for each in map(load, NAMES)
    ]
    return "\n".join(lines) + "\n"


def _how(service) -> str:
    if service.kolla:
        return "uWSGI, by kolla_start"
    if service.script:
        return "Apache with mod_wsgi"
    return "uWSGI" if service.start.startswith("uwsgi") else "`nova-api-metadata`"


def tables() -> Iterator[tuple[str, str]]:
    """By the mark in docs/deployment-files.md below which each stands."""
    yield "tools", tools()
    for service in SERVICES:
        yield service, table(service)


def write(page: Path) -> None:
    """Put each table below its mark."""
    text = page.read_text()
    for mark, rows in tables():
        text = re.sub(
            rf"(<!-- {mark} -->\n\n?)(\|.*\n)*\n*",
            lambda found, rows=rows: f"{found[1].rstrip()}\n\n{rows}\n",
            text,
        )
    page.write_text(text)


if __name__ == "__main__":
    write(Path(__file__).parents[2] / "docs" / "deployment-files.md")
