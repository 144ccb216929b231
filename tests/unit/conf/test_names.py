"""Under which names options are taken: the releases of Nova differ, and a file does not say its."""

import logging
from collections.abc import Callable

import pytest
from oslo_config import cfg

from firstlight import conf
from firstlight.conf.names import recorded, releases

Load = Callable[..., cfg.ConfigOpts]


@pytest.fixture
def load(tmp_path) -> Load:
    def load(text: str) -> cfg.ConfigOpts:
        file = tmp_path / "metadata.conf"
        file.write_text(f"[firstlight]\nsource = store\n{text}")
        return conf.load("metadata", [str(file)])

    return load


OLD = "[DEFAULT]\ndhcp_domain = example.org\nmetadata_cache_expiration = 60\n"


def test_deprecated_names_are_taken_as_nova_31_takes_them(load: Load) -> None:
    read = load(OLD)
    assert (read.api.dhcp_domain, read.api.metadata_cache_expiration) == ("example.org", 60)
    found = conf.nova_release(read)
    assert (found.number, found.because.name) == (31, "dhcp_domain")


@pytest.mark.parametrize(("release", "domain"), [(27, "example.org"), (34, "novalocal")])
def test_the_release_that_is_named_decides(load: Load, release: int, domain: str) -> None:
    read = load(f"nova_release = {release}\n{OLD}")
    assert read.api.dhcp_domain == domain
    assert conf.nova_release(read).number == release


def test_without_an_old_name_it_is_the_newest(load: Load) -> None:
    assert conf.nova_release(load("[api]\ndhcp_domain = x\n")) == (releases("nova")[-1], None)


def test_the_older_of_two_old_names_decides(load: Load) -> None:
    """No Nova after 28 takes [sql] connection; [DEFAULT] dhcp_domain is taken until 31."""
    read = load(OLD + "[sql]\nconnection = mysql+pymysql://nova@db/nova\n")
    assert conf.nova_release(read).number == 28
    assert (
        read.api_database.connection == read.database.connection == "mysql+pymysql://nova@db/nova"
    )


def test_the_new_place_wins_over_the_old_one(load: Load) -> None:
    assert load(OLD + "[api]\ndhcp_domain = new\n").api.dhcp_domain == "new"


def test_the_start_names_the_new_place(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "firstlight"):
        conf.warn_of_names(load(f"nova_release = 34\n{OLD}"))
    [first, _second] = caplog.messages
    assert "[DEFAULT] dhcp_domain" in first
    assert "has no effect" in first
    assert first.endswith("its place is [api] dhcp_domain")


def test_a_release_that_never_was(load: Load) -> None:
    with pytest.raises(conf.ConfigError, match="nova_release"):
        load("nova_release = 26\n")


@pytest.mark.parametrize(
    ("project", "services", "sections"),
    [
        (
            "nova",
            ["metadata"],
            "DEFAULT api api_database cache database neutron oslo_middleware"
            " vendordata_dynamic_auth wsgi",
        ),
        (
            "neutron",
            ["agent", "proxy", "broker", "ovnmeta"],
            "DEFAULT AGENT metadata_rate_limiting ovn ovs",
        ),
    ],
)
def test_every_option_that_is_read_has_been_one_of_theirs(
    project: str, services: list[str], sections: str
) -> None:
    """A name that no release has would be read from their files in vain."""
    listed = [entry for service in services for entry in conf._list(service)]
    read = {
        (group if group == "DEFAULT" else group.lower(), option.dest)
        for group, options in listed
        for option in options
        if group in sections.split()
    }
    plugin = {name for name in read if name[0] in ("neutron", "vendordata_dynamic_auth")}
    unknown = {
        name
        for name in read - recorded(project).keys()
        if not (name in plugin and name[1] in _password_options())
    }
    assert unknown <= {("DEFAULT", "pybasedir")}  # Nova's, which Neutron's files do not refer to
    assert len(read) > 20


def _password_options() -> set[str]:
    from keystoneauth1 import loading

    return {option.dest for option in loading.get_auth_plugin_conf_options("password")}
