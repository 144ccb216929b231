"""From names in ``[DEFAULT] providers`` to providers, made and ready.

A name is that of an entry point of ours, or else of one for nova-pollinate's plug-ins, or the
dotted path of such a plug-in.
"""

import logging
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

from oslo_config import cfg
from stevedore import NamedExtensionManager

from firstlight.conf import ConfigError, share_with_plugins
from firstlight.vendordata.cloud_init import cloud_config
from firstlight.vendordata.contract import Clients, Provider
from firstlight.vendordata.pollinate_plugins import finding
from firstlight.vendordata.pollinate_plugins.calling import OddPlugin
from firstlight.vendordata.pollinate_plugins.provider import Plugin, provider_class

LOG = logging.getLogger(__name__)

NAMESPACE = "firstlight.providers"

# On ``/`` these keys have a meaning of their own.
_RESERVED = {cloud_config.KEY, cloud_config.MERGED_KEY}


def load_providers(conf: cfg.ConfigOpts, clients: Clients) -> dict[str, Provider]:
    """The providers that `conf` enables, by name, in its order.

    Raises:
        ConfigError: one of them does not exist, cannot be imported, or refuses its options.
    """
    classes = provider_classes(conf.providers)
    if any(issubclass(kind, Plugin) for kind in classes.values()):
        share_with_plugins(conf, cfg.CONF)
    return {name: _make(name, kind, conf, clients) for name, kind in classes.items()}


def provider_classes(names: Sequence[str]) -> dict[str, type[Provider]]:
    """The classes behind these names, in this order, by the key of their answers.

    Raises:
        ConfigError: one of them does not exist or cannot be imported.
    """
    names = [finding.REPLACED.get(name, name) for name in names]
    _refuse_odd(names)
    ours = _ours(names)
    found: dict[str, type[Provider]] = {}
    for name in names:
        key, kind = (name, ours[name]) if name in ours else _plugin(name)
        if key in found:
            raise ConfigError(f"[DEFAULT] providers: two of them answer under the key {key}")
        found[key] = kind
    return found


def _ours(names: Sequence[str]) -> dict[str, type[Provider]]:
    known = available()
    wanted = [name for name in names if name in known]
    for name in set(wanted) & set(finding.installed()):
        LOG.warning(
            "[DEFAULT] providers: %s is ours; for the plug-in of that name write its dotted path",
            name,
        )
    manager: NamedExtensionManager[Any] = NamedExtensionManager(
        NAMESPACE, wanted, name_order=True, on_load_failure_callback=_broken
    )
    return {extension.name: _checked(extension.name, extension.plugin) for extension in manager}


def _plugin(name: str) -> tuple[str, type[Plugin]]:
    if not finding.is_path(name) and name not in finding.installed():
        raise _missing(name)
    try:
        key, kind = provider_class(finding.find(name))
    except (finding.NoPlugin, OddPlugin) as error:
        raise ConfigError(f"[DEFAULT] providers: plug-in {name}: {error}") from error
    _refuse_odd([key])
    return key, kind


def available() -> list[str]:
    """Every provider installed here, whether it works or not."""
    return sorted({point.name for point in entry_points(group=NAMESPACE)})


def _make(name: str, kind: type[Provider], conf: cfg.ConfigOpts, clients: Clients) -> Provider:
    group = f"provider:{name}"
    try:
        conf.register_group(cfg.OptGroup(group))  # also for a provider without options
        conf.register_opts(kind.options, group=group)
        for option in kind.options:  # read now, so that a bad value stops the start
            getattr(conf[group], option.dest)
        return kind.from_conf(conf[group], clients)
    except (ConfigError, cfg.Error, ValueError) as error:
        raise ConfigError(f"provider {name}, section [{group}]: {error}") from error


def _refuse_odd(names: Sequence[str]) -> None:
    for name in names:
        if name in _RESERVED:
            raise ConfigError(f"[DEFAULT] providers: a provider cannot be named {name}")
        if names.count(name) > 1:
            raise ConfigError(f"[DEFAULT] providers names {name} twice; once is enough")


def _missing(name: str) -> ConfigError:
    there = sorted({*available(), *finding.installed()})
    return ConfigError(
        f"[DEFAULT] providers: nothing installed is named {name}; "
        f"available are {', '.join(there) or 'none'}"
    )


def _broken(_manager: object, point: Any, error: BaseException) -> None:
    raise ConfigError(
        f"[DEFAULT] providers: {point.name} ({point.value}) cannot be loaded: "
        f"{type(error).__name__}: {error}; available are {', '.join(available())}"
    ) from error


def _checked(name: str, plugin: Any) -> type[Provider]:
    if isinstance(plugin, type) and issubclass(plugin, Provider):
        return plugin
    raise ConfigError(
        f"[DEFAULT] providers: {name} ({plugin!r}) is no subclass of "
        "firstlight.vendordata.contract.Provider"
    )
