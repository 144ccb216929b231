"""RSA encryption with an OpenSSH public key, as `nova get-password` decrypts it.

RSAES-PKCS1-v1_5 (RFC 8017, 7.2), because that is what Nova's clients and cloudbase-init speak. Only
the public operation is here, so there is no secret that timing could tell.
"""

import base64
import binascii
import secrets
import struct
from typing import List, NamedTuple

from .errors import GuestError

_LEAST, _MOST = 1024, 6144  # bits; a longer key's answer does not fit in 1020 characters


class PublicKey(NamedTuple):
    """A modulus and an exponent."""

    modulus: int
    exponent: int

    @property
    def size(self) -> int:
        """Octets of what is encrypted with it."""
        return (self.modulus.bit_length() + 7) // 8


def public_key(line: str) -> PublicKey:
    """The key of a line such as ``ssh-rsa AAAA... comment``.

    Raises:
        GuestError: it is of another type, or is broken.
    """
    kind, _, rest = line.strip().partition(" ")
    if kind != "ssh-rsa":
        raise GuestError(f"only RSA keys can encrypt a password; this one is {kind[:40]!r}")
    try:
        name, exponent, modulus = _fields(base64.b64decode(rest.split(" ")[0], validate=True))
    except (ValueError, binascii.Error, struct.error):
        raise GuestError("the instance's key is broken") from None
    key = PublicKey(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))
    if name != b"ssh-rsa" or not _LEAST <= key.modulus.bit_length() <= _MOST or key.exponent < 3:
        raise GuestError(f"the instance's key should be RSA of {_LEAST} to {_MOST} bits")
    return key


def _fields(blob: bytes) -> List[bytes]:
    """RFC 4253, 6.6: strings, each after its length."""
    found = []
    while blob:
        (length,) = struct.unpack(">I", blob[:4])
        if length > len(blob) - 4:
            raise ValueError("cut off")
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return found


def encrypt(key: PublicKey, message: bytes) -> bytes:
    """The message for the holder of the private key; different each time."""
    room = key.size - len(message) - 3
    if room < 8:
        raise GuestError("the key is too short for this message")
    padding = bytes(secrets.randbelow(255) + 1 for _ in range(room))
    whole = int.from_bytes(b"\0\2" + padding + b"\0" + message, "big")
    return pow(whole, key.exponent, key.modulus).to_bytes(key.size, "big")
