"""Who may connect to the agent's socket, as Neutron's options say it (metadata-proxy §4.1)."""

import grp
import os
import pwd

from oslo_config import cfg

from firstlight.wire.sockets import Unix

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
    user, group = _user(conf.metadata_proxy_user), _group(conf.metadata_proxy_group)
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


def _user(named: str) -> int:
    """The id of a user who is named by id or name; -1: nobody is named."""
    if not named or named.isdecimal():
        return int(named or -1)
    try:
        return pwd.getpwnam(named).pw_uid
    except KeyError as error:
        raise NoSuchUser(f"metadata_proxy_user: there is no user {named} here") from error


def _group(named: str) -> int:
    if not named or named.isdecimal():
        return int(named or -1)
    try:
        return grp.getgrnam(named).gr_gid
    except KeyError as error:
        raise NoSuchUser(f"metadata_proxy_group: there is no group {named} here") from error
