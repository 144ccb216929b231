"""In which file does an option stand?"""

from oslo_config import cfg

from firstlight.check.step import OptionLocation


def place(conf: cfg.ConfigOpts, group: str, name: str) -> OptionLocation:
    """Where `name` of `group` got its value; an option that no file sets has no file."""
    shown = f"[{group}] {name}"
    try:
        found = conf.get_location(name, None if group == "DEFAULT" else group)
    except (cfg.NoSuchOptError, cfg.NoSuchGroupError):
        return OptionLocation("", shown)
    return OptionLocation(
        found.detail if found and found.location.is_user_controlled else "", shown
    )
