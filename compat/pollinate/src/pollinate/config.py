"""The options of a nova-pollinate.conf, for oslo-config-generator."""

from oslo_config import cfg

from firstlight.conf import list_pollinate_options


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Group and options, for each group."""
    return list_pollinate_options()
