"""[dpm] says how to reach the HMC, or the start says what is missing."""

import pytest
from oslo_config import cfg

from firstlight_dpm import options
from firstlight_dpm.hmc import Login
from firstlight_dpm.hmc.session import BadLogin

ID = "3f1c4a0e-7c2d-11e6-8b77-0242ac130004"
WHOLE = {"hmc": ["h1"], "hmc_username": "u", "hmc_password": "s3cret", "cpc_object_id": ID}


def conf_with(**values: object) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    options.register_common(conf)
    conf([])
    for name, value in values.items():
        conf.set_override(name, value, "dpm")
    return conf


@pytest.mark.parametrize("missing", WHOLE)
def test_what_is_missing_is_named(missing):
    """Each of the four without which nothing can be asked."""
    rest = {name: value for name, value in WHOLE.items() if name != missing}
    with pytest.raises(BadLogin, match=rf"set {missing} in \[dpm\]"):
        Login.of(conf_with(**rest))


def test_all_that_is_missing_is_named_at_once():
    """One start, one sentence."""
    with pytest.raises(BadLogin, match="hmc, hmc_username, hmc_password, cpc_object_id"):
        Login.of(conf_with())


def test_the_password_is_not_shown():
    """Logs show logins."""
    login = Login.of(conf_with(**WHOLE))
    assert login.password == "s3cret"
    assert "s3cret" not in repr(login)


@pytest.mark.parametrize(
    ("values", "verify"),
    [
        ({}, True),
        ({"hmc_ca_file": __file__}, __file__),
        ({"hmc_verify": False}, False),
        ({"hmc_verify": False, "hmc_ca_file": "/etc/ca.pem"}, False),
    ],
)
def test_certificates_are_verified_unless_said(values, verify):
    """hmc_verify wins over hmc_ca_file."""
    assert Login.of(conf_with(**WHOLE, **values)).verify == verify


def test_authorities_that_cannot_be_read_are_said_at_the_start():
    """Not as a connection that broke, at the first request."""
    with pytest.raises(BadLogin, match=r"hmc_ca_file is /nowhere/ca\.pem"):
        Login.of(conf_with(**WHOLE, hmc_ca_file="/nowhere/ca.pem"))
