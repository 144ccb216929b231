"""Libraries that look at oslo.config's global object find there what the files say."""

from oslo_concurrency import lockutils
from oslo_config import cfg

from firstlight.conf import load, share_with_libraries


def test_what_oslo_concurrency_finds(tmp_path):
    """The lock path of neutron.conf, with names in it filled, also from a later file."""
    first, second = tmp_path / "neutron.conf", tmp_path / "agent.conf"
    first.write_text(
        "[DEFAULT]\nstate_path = /srv\n[oslo_concurrency]\nlock_path = $state_path/l\n"
    )
    second.write_text("[DEFAULT]\nstate_path = /srv/agent\n")
    shared = cfg.ConfigOpts()
    conf = load("agent", [str(first), str(second)], environ={})
    share_with_libraries(conf, "agent", shared)
    assert lockutils.get_lock_path(shared) == "/srv/agent/l"


def test_the_default_is_that_of_the_service(tmp_path):
    """$state_path is Neutron's for the agent, whatever was shared before."""
    file = tmp_path / "neutron.conf"
    file.write_text("[oslo_concurrency]\nlock_path = $state_path/l\n")
    shared = cfg.ConfigOpts()
    for service, path in (("metadata", "/var/lib/firstlight/l"), ("agent", "/var/lib/neutron/l")):
        share_with_libraries(load(service, [str(file)], environ={}), service, shared)
        assert lockutils.get_lock_path(shared) == path
