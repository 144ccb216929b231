"""The paste pipeline of pcss-vendor-metadata: the shipped one, and any other."""

from pathlib import Path

import pytest

from firstlight.conf import ConfigError, load
from firstlight.vendordata.auth.paste_file import check_pipeline

PASTE = """\
# WSGI app factory
[app:mlnx-sriov-binding]
paste.app_factory = pcss_vendor_metadata.app:app_factory

[pipeline:pcss_vendor_metadata]
# pipeline = http_proxy authtoken debug mlnx-sriov-binding
pipeline = http_proxy authtoken mlnx-sriov-binding

[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true

[filter:debug]
paste.filter_factory = oslo_middleware:Debug.factory

[filter:http_proxy]
paste.filter_factory = oslo_middleware:HTTPProxyToWSGI.factory
"""


def check(directory: Path, option: object = None) -> None:
    """As a service whose file is in `directory` does when it starts."""
    conf = directory / "pcss-vendor-metadata.ini"
    conf.write_text("[DEFAULT]\n" + (f"api_paste_config = {option}\n" if option else ""))
    check_pipeline(load("vendordata", [str(conf)], environ={}))


def test_no_pipeline(tmp_path: Path) -> None:
    """There need not be one."""
    check(tmp_path)


@pytest.mark.parametrize("decision", ["true", "false"])
def test_the_shipped_one(tmp_path: Path, decision: str) -> None:
    """It is understood, named in full, or found beside the file by name or without being named."""
    paste = tmp_path / "api-paste.ini"
    paste.write_text(PASTE.replace("decision = true", f"decision = {decision}"))
    for option in (paste, "api-paste.ini", None):
        check(tmp_path, option)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("http_proxy authtoken mlnx", "http_proxy mlnx", "[pipeline:pcss_vendor_metadata]"),
        ("http_proxy authtoken mlnx", "authtoken debug mlnx", "[pipeline:pcss_vendor_metadata]"),
        ("keystonemiddleware.auth_token", "site.auth", "[filter:authtoken]"),
        ("delay_auth_decision = true", "auth_url = http://k", "[filter:authtoken]"),
        ("[app:mlnx-sriov-binding]", "[app:other]", "has no section [app:mlnx-sriov-binding]"),
        ("# WSGI app factory", "[DEFAULT]\nauth_url = http://k", "has options in [DEFAULT]"),
        ("[filter:http_proxy]", "[filter:http_proxy", "cannot be read"),
        ("# WSGI", "\udcff", "cannot be read"),
    ],
)
def test_one_of_ones_own(tmp_path: Path, before: str, after: str, said: str) -> None:
    """It stops the start by name, also if nobody named it: it says who is let in."""
    paste = tmp_path / "api-paste.ini"
    paste.write_bytes(PASTE.replace(before, after).encode(errors="surrogateescape"))
    for option in (paste, None):
        with pytest.raises(ConfigError) as caught:
            check(tmp_path, option)
        for part in ("[DEFAULT] api_paste_config", str(paste), said):
            assert part in str(caught.value)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    """Nobody knows any more what it was."""
    with pytest.raises(ConfigError, match="there is no file /nowhere/paste"):
        check(tmp_path, "/nowhere/paste.ini")
