"""The paste pipeline of pcss-vendor-metadata: read only to see that it is the shipped one.

What a pipeline does is ours to do. One that somebody changed may let in others than we would, so
it stops the start instead of being ignored.
"""

from configparser import Error, RawConfigParser
from pathlib import Path

from oslo_config import cfg

from firstlight.conf import ConfigError

OPTION = "[DEFAULT] api_paste_config"

# The name that oslo.service looks for where the option is not set.
_USUAL = "api-paste.ini"

_AUTH = "filter:authtoken"
_DECISION = "delay_auth_decision"  # either way: we decide at once, and a caller sees the same

_SHIPPED = {
    "pipeline:pcss_vendor_metadata": {"pipeline": "http_proxy authtoken mlnx-sriov-binding"},
    "app:mlnx-sriov-binding": {"paste.app_factory": "pcss_vendor_metadata.app:app_factory"},
    _AUTH: {"paste.filter_factory": "keystonemiddleware.auth_token:filter_factory"},
    "filter:http_proxy": {"paste.filter_factory": "oslo_middleware:HTTPProxyToWSGI.factory"},
}


def check_pipeline(conf: cfg.ConfigOpts) -> None:
    """Nothing, if `conf` names no pipeline or the one that pcss-vendor-metadata came with.

    Raises:
        ConfigError: it names another, or one that cannot be read.
    """
    path = _path(conf)
    if path is None:
        return
    sections = _read(path)
    for name, shipped in _SHIPPED.items():
        found = sections.get(name)
        if found is None:
            raise _refusal(path, f"has no section [{name}]")
        if found != shipped:
            raise _refusal(path, f"has a section [{name}] that is not the shipped one")


def _path(conf: cfg.ConfigOpts) -> Path | None:
    named = conf.api_paste_config
    found = conf.find_file(named or _USUAL)
    if found is None and named:
        raise ConfigError(
            f"{OPTION}: there is no file {named}; if pcss-vendor-metadata is no longer installed "
            "and its pipeline was the shipped one, take the option out"
        )
    return None if found is None else Path(found)


def _read(path: Path) -> dict[str, dict[str, str]]:
    parser = RawConfigParser(strict=True, default_section="-")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, Error) as error:
        raise ConfigError(f"{OPTION}: {path} cannot be read: {error}") from error
    sections = {name: _words(dict(parser[name])) for name in parser.sections()}
    # Its options would reach every filter.
    if sections.get("DEFAULT"):
        raise _refusal(path, "has options in [DEFAULT]")
    sections.get(_AUTH, {}).pop(_DECISION, None)
    return sections


def _words(section: dict[str, str]) -> dict[str, str]:
    return {name: " ".join(value.split()) for name, value in section.items()}


def _refusal(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"{OPTION}: {path} {what}. A pipeline of one's own is not understood, and ignoring it "
        "could change who is let in; move its options to [keystone_authtoken], and take the option "
        "out"
    )
