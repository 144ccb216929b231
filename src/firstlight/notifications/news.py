"""What the listening process tells the others of its host, one datagram each."""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

LIMIT = 4096  # bytes of one; a reason is cut before
_REASON = 500  # characters, of at most four bytes each


class Changed(Struct, frozen=True, tag="changed"):
    """Nova has changed this instance."""

    uuid: str
    form: str


class Hearing(Struct, frozen=True, tag="hearing"):
    """Whether notifications are heard; `trouble` says why not, where that is known."""

    hears: bool
    trouble: str | None = None


News = Changed | Hearing

_encoder = Encoder()
_decoder = Decoder(News)


def hearing(trouble: str | None) -> Hearing:
    """They are, or the trouble is this, in as many words as fit."""
    return Hearing(trouble is None, None if trouble is None else trouble[:_REASON])


def pack(news: News) -> bytes:
    """As it is sent."""
    return _encoder.encode(news)


def unpack(data: bytes) -> News:
    """As it was sent.

    Raises:
        msgspec.DecodeError: it was not sent by this version of ours.
    """
    news: News = _decoder.decode(data)
    return news
