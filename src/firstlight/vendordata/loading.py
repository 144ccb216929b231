"""From names in ``[DEFAULT] providers`` to providers, made and ready."""

from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from typing import Any

from oslo_config import cfg
from stevedore import NamedExtensionManager

from firstlight.conf import ConfigError
from firstlight.vendordata import cloud_config
from firstlight.vendordata.contract import Clients, Provider

NAMESPACE = "firstlight.providers"

# On ``/`` these keys have a meaning of their own.
_RESERVED = {cloud_config.KEY, cloud_config.MERGED_KEY}


def load_providers(conf: cfg.ConfigOpts, clients: Clients) -> dict[str, Provider]:
    """The providers that `conf` enables, by name, in its order.

    Raises:
        ConfigError: one of them does not exist, cannot be imported, or refuses its options.
    """
    classes = provider_classes(conf.providers)
    return {name: _make(name, kind, conf, clients) for name, kind in classes.items()}


def provider_classes(names: Sequence[str]) -> dict[str, type[Provider]]:
    """The classes behind these entry points, in this order.

    Raises:
        ConfigError: one of them does not exist or cannot be imported.
    """
    _refuse_odd(names)
    manager: NamedExtensionManager[Any] = NamedExtensionManager(
        NAMESPACE,
        list(names),
        name_order=True,
        on_missing_entrypoints_callback=_missing,
        on_load_failure_callback=_broken,
    )
    return {extension.name: _checked(extension.name, extension.plugin) for extension in manager}


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


def _missing(names: Iterable[str]) -> None:
    raise ConfigError(
        f"[DEFAULT] providers: nothing installed is named {', '.join(sorted(names))}; "
        f"available are {', '.join(available()) or 'none'}"
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
