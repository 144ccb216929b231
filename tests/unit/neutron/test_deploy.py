"""``[neutron]`` as operators have it."""

from pathlib import Path

import pytest

from firstlight import conf
from firstlight.neutron import NeutronMisconfigured, open_neutron

PASSWORD = """
[neutron]
auth_type = password
auth_url = http://127.0.0.1:9/v3
username = nova
password = secret
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
valid_interfaces = internal
service_metadata_proxy = true
metadata_proxy_shared_secret = s3
http_retries = 1
timeout = 3
cafile = /etc/ssl/certs/ca-certificates.crt
insecure = false
ovs_bridge = br-int
default_floating_pool = nova
extension_sync_interval = 600
physnets = foo
"""


def load(tmp_path: Path, text: str) -> "conf.cfg.ConfigOpts":
    path = tmp_path / "nova.conf"
    path.write_text(text)
    return conf.load("metadata", [str(path)])


def test_an_operators_section_is_enough(tmp_path: Path) -> None:
    """Nova's usual section opens; nothing is sent, so nobody needs to listen."""
    open_neutron(load(tmp_path, PASSWORD)).close()


def test_section_of_another_service(tmp_path: Path) -> None:
    """`auth_section` borrows another section's credentials, as keystoneauth has it."""
    shared = PASSWORD.replace("[neutron]", "[shared]")
    open_neutron(load(tmp_path, f"{shared}\n[neutron]\nauth_section = shared\n")).close()


def test_defaults_are_novas(tmp_path: Path) -> None:
    """What operators leave out means what it means to Nova."""
    section = load(tmp_path, "").neutron
    assert (section.service_type, section.valid_interfaces) == ("network", ["internal", "public"])
    assert (section.http_retries, section.timeout, section.insecure) == (3, None, False)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("", r"\[neutron\] auth_type is not set: .*set it"),
        ("auth_type = nothing-like-it", r"\[neutron\]: .*nothing-like-it"),
        ("auth_type = none\nvalid_interfaces = inside", "inside is none of public, internal, adm"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, section: str, said: str) -> None:
    """Section, option and remedy, before anything is asked."""
    with pytest.raises(NeutronMisconfigured, match=said):
        open_neutron(load(tmp_path, f"[neutron]\n{section}\n"))


def test_deadline_is_ours(tmp_path: Path) -> None:
    """A deadline of nothing would fail every question; the start says so."""
    with pytest.raises(conf.ConfigError, match="neutron_deadline"):
        load(tmp_path, "[firstlight]\nneutron_deadline = 0\n")
