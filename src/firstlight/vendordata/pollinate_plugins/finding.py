"""From a name in ``[DEFAULT] providers`` to a plug-in's class: both ways that Pollinate had."""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

NAMESPACE = "pollinate.providers"

# Pollinate's own classes, which ours replace, by the path that its README had people write.
REPLACED = {
    "pollinate.providers.keystone.KeystoneProvider": "project_info",
    "pollinate.providers.nvidia_vgpu.NvidiaVGPUProvider": "nvidia_vgpu",
    "pollinate.providers.windows.WindowsProductKeyProvider": "windows_product_key",
    "pollinate.providers.crowdstrike.CrowdStrikeProvider": "crowdstrike",
    "pollinate.providers.cloudstor.CloudStorProvider": "cloudstor",
}


class NoPlugin(Exception):
    """A class that is not there or cannot be imported; the message says which and why."""


def is_path(name: str) -> bool:
    """Whether `name` is the dotted path of a class."""
    return "." in name


def installed() -> list[str]:
    """The names of all entry points for plug-ins."""
    return sorted({point.name for point in entry_points(group=NAMESPACE)})


def find(name: str) -> Any:
    """The class that `name`, a dotted path or an entry point, stands for.

    Raises:
        NoPlugin: there is none.
    """
    try:
        return _at_path(name) if is_path(name) else _at_entry_point(name)
    except NoPlugin:
        raise
    except Exception as error:  # importing runs anybody's code
        raise NoPlugin(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error


def _at_path(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    found = getattr(import_module(module), attribute, None)
    if found is None:
        raise NoPlugin(f"{module} has no {attribute}")
    return found


def _at_entry_point(name: str) -> Any:
    points = list(entry_points(group=NAMESPACE, name=name))
    if not points:
        raise NoPlugin(f"nothing installed is named {name}")
    return points[0].load()
