"""An instance as it lies in the cache: plain data with a signature over it.

Signed, because the networks that caches are on are often open to more than those who may say who a
guest is; with the secret that metadata proxies sign with, because every process of the service has
it. It is not encrypted: whoever may read the cache reads user data, as with Nova's own.
"""

import hashlib
import hmac
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from firstlight.instance import Instance

_DIGEST = hashlib.sha256
_LENGTH = 32
_PURPOSE = b"firstlight shared cache"  # what is signed here is of use nowhere else

# Another layout of the values is another key, so that versions that differ do not meet.
LAYOUT = _DIGEST(msgspec.json.encode(msgspec.json.schema(Instance), order="sorted")).hexdigest()[:8]


class NotOurs(Exception):
    """These bytes were not put there by this service; the message says why."""


class SignedEntry(Struct, frozen=True, array_like=True):
    """`built`: seconds since the epoch when the reading began. `mark`: what it was read under."""

    mark: str
    built: float
    instance: Instance


_encoder = Encoder()
_decoder = Decoder(SignedEntry)


class Seal:
    """Signs with the first of `secrets`, believes all of them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [hmac.digest(secret.encode(), _PURPOSE, _DIGEST) for secret in secrets]

    def close(self, key: str, entry: SignedEntry) -> bytes:
        """The bytes to be kept under `key`."""
        body = _encoder.encode(entry)
        return _sign(self._keys[0], key, body) + body

    def open(self, key: str, data: bytes) -> SignedEntry:
        """What was kept under `key`.

        Raises:
            NotOurs: it was not :meth:`close` that made these bytes for this key.
        """
        signature, body = data[:_LENGTH], data[_LENGTH:]
        if not any(hmac.compare_digest(_sign(k, key, body), signature) for k in self._keys):
            raise NotOurs("it is not signed with our secret")
        try:
            return _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NotOurs(f"it is signed and not an instance: {error}") from error


def _sign(secret: bytes, key: str, body: bytes) -> bytes:
    return hmac.digest(secret, b"%d %b %b" % (len(key), key.encode(), body), _DIGEST)
