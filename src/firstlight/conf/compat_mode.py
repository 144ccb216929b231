"""Which service ``firstlight vendordata`` stands in for: by what it is given to read."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from oslo_config import cfg


class CompatMode(StrEnum):
    """What callers find at which path, and at which port."""

    FIRSTLIGHT = "firstlight"
    POLLINATE = "pollinate"
    PCSS = "pcss"


AUTO = "auto"

OPTIONS = [
    (
        "firstlight",
        [
            cfg.StrOpt(
                "shape",
                default=AUTO,
                choices=[
                    (AUTO, "what the configuration files are written for"),
                    (CompatMode.FIRSTLIGHT.value, "ours, on [DEFAULT] listen and port"),
                    (
                        CompatMode.POLLINATE.value,
                        "nova-pollinate's, on [flask] host and port: ours, GET /test, and callers' "
                        "own X-Identity-Status where auth_strategy is noauth",
                    ),
                    (
                        CompatMode.PCSS.value,
                        "pcss-vendor-metadata's: every path answers the object of mlnx_sriov",
                    ),
                ],
                help="Whose answers callers get.",
            ),
        ],
    )
]

# How the files begin that each service was documented with.
_FILES = {
    "pcss-vendor-metadata": CompatMode.PCSS,
    "nova-pollinate": CompatMode.POLLINATE,
    "pollinate": CompatMode.POLLINATE,
}


def named_by(files: Iterable[str]) -> CompatMode | None:
    """The service that a file of these was documented for; the last one that says so counts."""
    found = None
    for file in files:
        for beginning, shape in _FILES.items():
            if Path(file).name.startswith(beginning):
                found = shape
                break
    return found


def compat_mode_of(conf: cfg.ConfigOpts) -> CompatMode:
    """The shape that `conf` asks for, or what it was written for: by file name, then by content."""
    if conf.firstlight.shape != AUTO:
        return CompatMode(conf.firstlight.shape)
    return named_by(conf.config_file or ()) or _by_content(conf)


def listens_at(conf: cfg.ConfigOpts) -> tuple[str, int]:
    """Address and port of the service of this shape."""
    if compat_mode_of(conf) is CompatMode.POLLINATE:
        return conf.flask.host, conf.flask.port
    return conf.listen, conf.port


def _by_content(conf: cfg.ConfigOpts) -> CompatMode:
    if any(is_set(conf, name, "flask") for name in ("host", "port", "secret_key")):
        return CompatMode.POLLINATE
    # pcss had one provider and no option to name it; its credentials were for Neutron.
    if not conf.providers and not conf.service_auth.auth_type and conf.neutron.auth_type:
        return CompatMode.PCSS
    return CompatMode.FIRSTLIGHT


def is_set(conf: cfg.ConfigOpts, name: str, group: str | None = None) -> bool:
    """Whether somebody set the option: in a file, in the environment or on the command line."""
    location = conf.get_location(name, group)
    return location is not None and location.location.is_user_controlled
