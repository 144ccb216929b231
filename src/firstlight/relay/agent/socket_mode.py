"""Who may connect to the agent's socket, as Neutron's options say it (metadata-proxy §4.1)."""

import grp
import os
import pwd
from collections.abc import Callable

from oslo_config import cfg

from firstlight.httpd.sockets.listening import Unix

_MODES = {"user": 0o644, "group": 0o664, "all": 0o666}


class NoSuchUser(Exception):
    """``metadata_proxy_user`` or ``_group`` names nobody; the message says whom."""


def agent_socket(conf: cfg.ConfigOpts) -> Unix:
    """Where the agent listens, with which mode and owner.

    The owner is whoever runs the agent; root gives the socket to the proxies' user or group, where
    only that one may connect.

    Raises:
        NoSuchUser: a user or group is named that this host does not have.
    """
    user = _number("metadata_proxy_user", conf.metadata_proxy_user, _user)
    group = _number("metadata_proxy_group", conf.metadata_proxy_group, _group)
    mode = conf.metadata_proxy_socket_mode
    if mode == "deduce":
        mode = _deduced(user, group)
    owner = (-1, -1)
    if os.geteuid() == 0 and mode != "all":
        owner = (user, -1) if mode == "user" else (-1, group)
    return Unix(conf.metadata_proxy_socket, _MODES[mode], owner)


def _deduced(user: int, group: int) -> str:
    if user in (-1, 0, os.geteuid()):
        return "user"
    return "group" if group in (-1, os.getegid()) else "all"


def _user(name: str) -> int:
    return pwd.getpwnam(name).pw_uid


def _group(name: str) -> int:
    return grp.getgrnam(name).gr_gid


def _number(option: str, named: str, find: Callable[[str], int]) -> int:
    """The id of who is named by id or name; -1: nobody is named."""
    if not named or named.isdecimal():
        return int(named or -1)
    try:
        return find(named)
    except KeyError as error:
        raise NoSuchUser(f"{option}: there is no {named} here") from error
