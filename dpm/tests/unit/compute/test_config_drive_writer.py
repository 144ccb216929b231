"""Which writer of config drives nova.conf describes, and what is wrong with what it says."""

import sys
from contextlib import suppress

import pytest
from keystoneauth1 import loading
from nova.conf import CONF
from nova.exception import InvalidConfiguration
from oslo_config import cfg, fixture

from firstlight_dpm import options
from firstlight_dpm.compute.config_drives import configured

NOVA_CONF = f"""\
[DEFAULT]
mkisofs_cmd = {sys.executable}
[dpm]
config_drive_writer = volume
[cinder]
auth_type = password
auth_url = http://127.0.0.1:9/
username = nova
password = s3cret
project_name = service
http_retries = 0
"""


@pytest.fixture
def config(tmp_path):
    """Nova's, with a writer and everything that it needs, but for a Keystone that answers."""
    options.register_compute(CONF)
    (tmp_path / "nova.conf").write_text(NOVA_CONF)
    with fixture.Config(CONF) as config:
        CONF([], default_config_files=[str(tmp_path / "nova.conf")], default_config_dirs=[])
        yield config
    # Some of them are required from then on, also of the next one's file.
    for option in loading.get_auth_plugin_conf_options("password"):
        with suppress(cfg.NoSuchOptError):
            CONF.unregister_opt(option, "cinder")


def test_none(config):
    """Without the option there is none, whatever else is wrong."""
    config.config(group="dpm", config_drive_writer=None)
    assert configured(CONF) is None


def test_nobody_answers(config, caplog):
    """That is said, and no reason not to start."""
    volumes = configured(CONF)
    assert "config drives cannot be written now: asking Glance for images" in caplog.text
    assert volumes.patience == 60 * 3
    assert volumes.cloud.session.timeout == 120


def test_not_even_nova_s_retries(config):
    """A volume has some time, even if Nova allows none for its own."""
    config.config(block_device_allocate_retries=0, block_device_allocate_retries_interval=0)
    volumes = configured(CONF)
    assert (volumes.patience, volumes.pause) == (30, 1)


@pytest.mark.parametrize("end", ["", "/%(project_id)s", "/%(tenant_id)s"])
def test_where_cinder_is(config, end):
    """As Nova's own options say it, with a project at its end or without."""
    template = f"http://127.0.0.1:9/v3{end}"
    config.config(group="cinder", endpoint_template=template)
    region = configured(CONF).cloud.config
    assert region.get_endpoint("block-storage") == "http://127.0.0.1:9/v3"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"group": "cinder", "auth_type": None}, r"set auth_type .* in \[cinder\]"),
        ({"config_drive_format": "vfat"}, "set it to iso9660"),
        ({"mkisofs_cmd": "/no/such"}, "install genisoimage, or set mkisofs_cmd"),
    ],
)
def test_what_is_missing(config, wrong, said):
    """Says what to set, and nobody is asked."""
    config.config(**wrong)
    with pytest.raises(InvalidConfiguration, match=said):
        configured(CONF)
