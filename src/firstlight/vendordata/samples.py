"""For oslo-config-generator, namespace ``firstlight.providers``: the sections of our providers."""

from oslo_config import cfg

from firstlight.vendordata.loading import available, provider_classes
from firstlight.vendordata.policy import provider_policy

_OURS = "firstlight.vendordata.providers."


def list_options() -> list[tuple[str, list[cfg.Opt]]]:
    """Each section with its provider's own options, and those that every provider's has."""
    classes = provider_classes(available())
    return [
        (f"provider:{name}", [*kind.options, *provider_policy.OPTIONS])
        for name, kind in sorted(classes.items())
        if kind.__module__.startswith(_OURS)
    ]
