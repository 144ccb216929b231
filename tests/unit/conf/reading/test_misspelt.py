"""Unknown names are asked about, and end the start where they decide who gets what."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from oslo_config import cfg

from firstlight import conf
from firstlight.conf import ConfigError, misspelt
from firstlight.vendordata.clients import ConfiguredClients
from firstlight.vendordata.policy.deploy import read_policies
from firstlight.vendordata.providers.static_map import StaticMap

Load = Callable[..., cfg.ConfigOpts]
STORE = "[firstlight]\nsource = store\n"
TARGET = "[api]\nvendordata_dynamic_targets = site@http://127.0.0.1:9/, other@http://127.0.0.1:9/\n"


@pytest.fixture
def load(tmp_path) -> Load:
    def load(text: str, service: str = "metadata") -> cfg.ConfigOpts:
        file = tmp_path / "service.conf"
        file.write_text(text)
        return conf.load(service, [str(file)])

    return load


@pytest.mark.parametrize(
    ("service", "section", "name", "meant"),
    [
        ("metadata", "neutron", "metadata_proxy_shared_secert", "metadata_proxy_shared_secret"),
        ("metadata", "api", "dhcp_domian", "dhcp_domain"),
        ("metadata", "DEFAULT", "metadata_listenport", "metadata_listen_port"),
        ("metadata", "api_database", "conection", "connection"),
        ("agent", "DEFAULT", "nova_metadata_hots", "nova_metadata_host"),
        ("agent", "AGENT", "report_intervall", "report_interval"),
        ("agent", "ovn", "ovn_sb_conection", "ovn_sb_connection"),
        ("proxy", "metadata_rate_limiting", "rate_limit_enable", "rate_limit_enabled"),
    ],
)
def test_theirs(load: Load, service: str, section: str, name: str, meant: str) -> None:
    text = STORE if service == "metadata" else ""
    [found] = misspelt(load(f"{text}[{section}]\n{name} = 1\n", service))
    assert (found.written.name, found.meant) == (name, meant)


@pytest.mark.parametrize(
    ("header", "meant"),
    [("api_databse", "[api_database]"), ("FirstLigth", "[firstlight]"), ("neutorn", "[neutron]")],
)
def test_a_misspelt_header(load: Load, header: str, meant: str) -> None:
    """What stands below it is named; sections of others are left alone."""
    text = f"{STORE}[{header}]\nurl = 1\n[placement]\nurl = 1\n[my_own]\nurl = 1\n"
    [found] = misspelt(load(text))
    assert found.meant == f"{meant} url"


def test_credentials_of_the_plugin_that_is_named(load: Load) -> None:
    text = f"{STORE}[neutron]\nauth_type = v3applicationcredential\n"
    text += "application_credential_secert = s\nuser_domain_id = x\nusername = y\n"
    [found] = misspelt(load(text))
    assert found.meant == "application_credential_secret"


def test_what_is_theirs_and_not_read_is_not_asked_about(load: Load) -> None:
    text = "[DEFAULT]\nosapi_compute_listen = 1\nmetadata_host = 1\n[neutron]\nurl = x\n"
    text += "ovs_bridge = br-int\n[cache]\nmemcache_username = x\n[api]\nauth_strategy = keystone\n"
    assert misspelt(load(STORE + text)) == []


def test_ours_whichever_service_has_it(load: Load) -> None:
    text = (
        f"{STORE}status_prot = 1\nprovider_deadline = 4\n[store]\nconection = x\n[relay]\nzz = 1\n"
    )
    found = [(one.written.group, one.written.name, one.meant) for one in misspelt(load(text))]
    assert found == [
        ("firstlight", "status_prot", "status_port"),
        ("store", "conection", "connection"),
        ("relay", "zz", ""),
    ]


def test_the_start_says_so(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "firstlight"):
        conf.warn_of_names(load(f"{STORE}[neutron]\nmetadata_proxy_shared_secert = hunter2\n"))
    [said] = caplog.messages
    assert "did you mean metadata_proxy_shared_secret?" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "text",
    [
        "previous_shared_secret = s\n",
        "requird_roles = service\n",
        TARGET + "[vendordata_target:site]\nrequird = true\n",
        TARGET + "[vendordata_target:site]\nsomething = 1\n",
        TARGET + "[vendordata_target:SITE]\nrequird = true\n",
        TARGET + "[vendordata_target:sites]\nrequired = true\n",
    ],
)
def test_where_it_decides_who_gets_what_nothing_starts(load: Load, text: str) -> None:
    with pytest.raises(ConfigError, match="is no option"):
        load(STORE + text)


def test_a_section_of_a_target_that_is_not_asked(load: Load) -> None:
    """It is there for later; one that is like a target with a section of its own is, too."""
    text = "[vendordata_target:site]\nrequired = true\n[vendordata_target:sites]\nrequired = true\n"
    assert load(STORE + TARGET + text).api.vendordata_dynamic_targets


@pytest.mark.parametrize(
    "section",
    [
        "[provider:static_map]\nfile = {map}\nalow_projects = p\n",
        "[provider:static_map]\nfile = {map}\nsomething = p\n",
        "[provider:Static_Map]\nfile = {map}\nalow_projects = p\n",
        "[provider:static_mpa]\nallow_projects = p\n",
    ],
)
def test_a_provider_is_not_asked_on_other_terms_than_were_meant(
    load: Load, tmp_path: Path, section: str
) -> None:
    read = load("[DEFAULT]\nproviders = static_map\n" + section.format(map=tmp_path), "vendordata")
    read.register_opts(StaticMap.options, group="provider:static_map")  # as loading does
    with pytest.raises(ConfigError, match="is no option"):
        read_policies(read, ["static_map"], ConfiguredClients(read))


def test_terms_and_options_of_a_provider_that_is_not_enabled(load: Load, tmp_path: Path) -> None:
    text = f"[provider:static_map]\nfile = {tmp_path}\nallow_projects = p\n[provider:x]\ny = 1\n"
    read = load("[DEFAULT]\nproviders = static_map\n" + text, "vendordata")
    read.register_opts(StaticMap.options, group="provider:static_map")  # as loading does
    assert read_policies(read, ["static_map"], ConfiguredClients(read))["static_map"].allow_projects
