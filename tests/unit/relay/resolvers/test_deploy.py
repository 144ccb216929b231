"""Which resolver a relay's files imply, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from oslo_config import cfg

from firstlight import conf as configuration
from firstlight.conf import common, neutron, ovn, recognition, store
from firstlight.relay.resolvers.deploy import (
    ResolverError,
    chosen,
    open_identity_cache,
    open_resolver,
)

Conf = Callable[[str], cfg.ConfigOpts]

OVN = "[ovn]\novn_sb_connection = tcp:192.0.2.1:6642\n"
REST = "[neutron]\nauth_type = password\n"
STORE = "[store]\nconnection = sqlite:///x\n"
BUS = "[DEFAULT]\ntransport_url = rabbit://u:p4ss@192.0.2.1/\n"


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    """A configuration with this text."""

    def make(text: str) -> cfg.ConfigOpts:
        path = tmp_path / "relay.conf"
        path.write_text(text)
        made = cfg.ConfigOpts()
        configuration.register(made, (common, recognition, ovn, neutron, store))
        made([f"--config-file={path}"], project="firstlight", default_config_dirs=[])
        return made

    return make


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "neutron-rpc"),
        (BUS, "neutron-rpc"),
        (BUS + STORE, "store"),
        (BUS + STORE + REST, "neutron-rest"),
        (BUS + STORE + REST + OVN, "ovn"),
        (OVN + "[relay]\nresolver = neutron-rpc\n", "neutron-rpc"),
    ],
)
def test_auto(conf: Conf, text: str, name: str) -> None:
    """The first that a file gives: OVN's database, a user, a store; else Neutron's message bus."""
    assert chosen(conf(text)) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[DEFAULT]\ntransport_url = carrier-pigeon://u:p4ss@h/\n", "transport_url"),
        ("[DEFAULT]\ntransport_url = rabbit://u:p4ss@h:port/\n", "transport_url"),
        (
            BUS + "[oslo_messaging_rabbit]\nuse_queue_manager = true\n",
            "lock_path, which is not set",
        ),
        (
            BUS + "[oslo_messaging_rabbit]\nuse_queue_manager = true\n"
            "[oslo_concurrency]\nlock_path = /dev/null/x\n",
            "lock_path: /dev/null/x cannot be made",
        ),
        ("[neutron]\nauth_type = no-such\n", "neutron"),
        ("[store]\nconnection = no-such://u:p4ss@h/\n", "connection"),
        ("[ovn]\novn_sb_connection = 192.0.2.1:6642\n", "tcp:HOST:6642"),
        ("[ovn]\novn_sb_connection = ssl:192.0.2.1:6642\n", "ovn_sb_private_key"),
    ],
)
def test_unusable(conf: Conf, text: str, says: str) -> None:
    """What cannot be used is named by its option, without its password."""
    with pytest.raises(ResolverError) as raised:
        open_resolver(conf(text)).close()
    assert says in str(raised.value)
    assert "p4ss" not in str(raised.value)


def test_queues_of_two_programs_on_a_host(conf: Conf) -> None:
    """The queue manager names them after the program, so that no reply goes to another."""
    read = conf(BUS)
    open_resolver(read).close()
    assert read.oslo_messaging_rabbit.processname == read.prog.replace(" ", "-")


def test_terms(conf: Conf) -> None:
    """The options become a recognition, which can be closed unasked."""
    recognition_ = open_identity_cache(conf(BUS))
    assert recognition_.name == "neutron-rpc"
    assert recognition_.trouble() is None
    recognition_.close()


@pytest.mark.parametrize("option", ["identity_seconds = 301", "nobody_seconds = -1"])
def test_terms_have_bounds(conf: Conf, option: str) -> None:
    """Nobody can ask for identities that are believed for hours."""
    with pytest.raises(cfg.ConfigFileValueError):
        open_identity_cache(conf(f"[relay]\n{option}\n"))
