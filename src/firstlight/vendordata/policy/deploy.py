"""From each provider's section to the terms on which it answers."""

from collections.abc import Iterable

from msgspec import structs
from oslo_config import cfg

from firstlight.conf import refuse_misspelt
from firstlight.conf.reading.misspelt import misspelt_in_named
from firstlight.vendordata.contract import Clients
from firstlight.vendordata.policy import provider_policy
from firstlight.vendordata.policy.provider_policy import ProviderPolicy
from firstlight.vendordata.policy.release_once import ReleaseOnce


def read_policies(
    conf: cfg.ConfigOpts, names: Iterable[str], clients: Clients
) -> dict[str, ProviderPolicy]:
    """The terms of the providers `names`, by name.

    Raises:
        ConfigError: an option has a value it cannot have, asks for what is not configured, or has
            a name that no provider reads.
    """
    names = list(names)
    provider_policy.register(conf, names)
    refuse_misspelt(misspelt_in_named(conf, "provider:", names))
    releases = ReleaseOnce(conf, clients)
    return {name: _policy(name, conf[f"provider:{name}"], releases) for name in names}


def rules_of(section: cfg.ConfigOpts.GroupAttr) -> ProviderPolicy:
    """What a section says of who is answered; nothing of releases."""
    return ProviderPolicy(
        allow_projects=frozenset(section.allow_projects),
        allow_images=frozenset(section.allow_images),
        shadow=section.shadow,
    )


def _policy(name: str, section: cfg.ConfigOpts.GroupAttr, releases: ReleaseOnce) -> ProviderPolicy:
    rules = rules_of(section)
    if not section.release_once:
        return rules
    return structs.replace(rules, release=releases.once_per_boot(name, section.release_window))
