"""Give a user a new password, and leave it with Nova, encrypted with the server's key. Once.

Its owner reads it with `nova get-password SERVER PRIVATE-KEY-FILE`.
"""

import argparse
import base64
import secrets
from typing import Any, Dict

from ..asking import add_options, trusted_service
from ..dmi import refuse_another
from ..errors import DONE, CouldNotAsk, GuestError, NotThere
from ..machine import Machine
from ..rsa import PublicKey, encrypt, public_key
from ..service import Service
from ..sources import META_DATA, parse_object

_PASSWORD = "/openstack/2013-04-04/password"  # noqa: S105  a path
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none looks like another
_LENGTH = 24  # letters: 139 bits
_LONGEST = 1020  # characters that Nova keeps


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--user", default="root", help="whose password (%(default)s)")
    add_options(parser, wait=120)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    machine: Machine = args.machine
    with machine.locked("password"):
        asked = trusted_service(args)
        asked.keep_way()  # the secret goes where the key came from
        meta_data = parse_object(asked.get(META_DATA), META_DATA)
        refuse_another(machine, meta_data.get("uuid"))
        if asked.get(_PASSWORD).strip():
            print("nothing to do: a password has been set")
            return DONE
        key = _key(meta_data)
        _set(machine, asked, key, args.user)
    print(
        f"{args.user} has a new password; read it with: nova get-password SERVER PRIVATE-KEY-FILE"
    )
    return DONE


def _set(machine: Machine, asked: Service, key: PublicKey, user: str) -> None:
    """The guest first: if Nova does not hear of it, the next run makes another."""
    password = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    secret = base64.b64encode(encrypt(key, password.encode()))
    if len(secret) > _LONGEST:
        raise GuestError("the key is too long: what it encrypts does not fit into Nova")
    if ":" in user or "\n" in user:
        raise GuestError("that is no name of a user")
    machine.run(["chpasswd"], given=f"{user}:{password}\n")
    status = asked.post(_PASSWORD, secret)
    if status == 409:
        raise GuestError(
            "another password was left with Nova meanwhile; clear it and run this again"
        )
    if status != 200:
        raise CouldNotAsk(f"the metadata service refused the password with {status}")


def _key(meta_data: Dict[str, Any]) -> PublicKey:
    """The first RSA key among the server's.

    Raises:
        NotThere: it has none.
    """
    named = meta_data.get("public_keys")
    plain = list(named.values()) if isinstance(named, dict) else []
    typed = meta_data.get("keys")
    of_ssh = [
        each.get("data")
        for each in (typed if isinstance(typed, list) else [])
        if isinstance(each, dict) and each.get("type") == "ssh"
    ]
    lines = [str(line) for line in of_ssh or plain]
    for line in lines:
        if line.startswith("ssh-rsa "):
            return public_key(line)
    kinds = ", ".join(line.split(" ")[0] for line in lines) or "no key"
    raise NotThere(f"no password was set: that needs an RSA key, and the server has {kinds}")
