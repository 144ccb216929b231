"""Who may connect to the agent's socket, by Neutron's options."""

import grp
import os
import pwd

import pytest

from firstlight import conf as configuration
from firstlight.relay.agent.socket_mode import NoSuchUser, agent_socket

SOMEBODY = "nobody"
USER = pwd.getpwnam(SOMEBODY).pw_uid
GROUP = grp.getgrgid(pwd.getpwnam(SOMEBODY).pw_gid).gr_name


@pytest.fixture
def socket_of(tmp_path, monkeypatch):
    """The socket of these options, for the user of this id."""

    def made(running=0, **options):
        monkeypatch.setattr(os, "geteuid", lambda: running)
        path = tmp_path / "agent.ini"
        lines = [f"{name} = {value}" for name, value in options.items()]
        path.write_text("\n".join(["[DEFAULT]", *lines]))
        return agent_socket(configuration.load("agent", [str(path)]))

    return made


@pytest.mark.parametrize(
    ("options", "mode", "owner"),
    [
        ({}, 0o644, (-1, -1)),
        ({"metadata_proxy_user": SOMEBODY, "metadata_proxy_group": GROUP}, 0o666, (-1, -1)),
        ({"metadata_proxy_user": SOMEBODY}, 0o664, (-1, -1)),
        (
            {"metadata_proxy_user": SOMEBODY, "metadata_proxy_socket_mode": "user"},
            0o644,
            (USER, -1),
        ),
        ({"metadata_proxy_user": "0"}, 0o644, (0, -1)),
        ({"metadata_proxy_socket_mode": "all", "metadata_proxy_user": "0"}, 0o666, (-1, -1)),
    ],
)
def test_root(socket_of, options, mode, owner):
    """The mode is deduced as Neutron does; user or group own the socket where only that may."""
    made = socket_of(**options)
    assert (made.mode, made.owner) == (mode, owner)


def test_another_user_gives_nothing_away(socket_of):
    """Only root can."""
    made = socket_of(4711, metadata_proxy_user="4711")
    assert (made.mode, made.owner) == (0o644, (-1, -1))


@pytest.mark.parametrize("option", ["metadata_proxy_user", "metadata_proxy_group"])
def test_who_is_not_there(socket_of, option):
    """The option and the name are said."""
    with pytest.raises(NoSuchUser, match=f"{option}: there is no zaphod"):
        socket_of(**{option: "zaphod"})
