"""Requests put together from good and bad pieces, as bytes on a socket."""

from hypothesis import event, given
from hypothesis import strategies as st

from conformance.processes import Service
from fuzz import canaries
from fuzz.counts import tries
from fuzz.raw import STATUSES, exchange, statuses
from fuzz.strangers import Sent, noise, requests

_SENT = st.one_of(requests(), requests(), requests(), noise())


def _check(sent: Sent, heard: bytes, may_read: str | None) -> None:
    said = statuses(heard)
    event(f"answered {said[:1]}")
    assert heard == b"" or said, (sent, heard)
    assert set(said) <= STATUSES - {500, 502, 504}, (sent, heard)
    assert canaries.marks_in(heard) <= {may_read}, (sent, heard)


def test_signed_requests(signed_service: Service) -> None:
    """A status that agents know, nothing of another server's, and an end."""

    @tries(few=400, many=20_000)
    @given(_SENT)
    def send(sent: Sent) -> None:
        _check(sent, exchange(signed_service.port, sent.pieces), sent.proves)

    send()


def test_requests_from_an_address(address_service: Service) -> None:
    """No header makes a guest another guest where addresses count."""

    @tries(few=400, many=20_000)
    @given(_SENT, st.sampled_from(canaries.NAMES))
    def send(sent: Sent, who: str) -> None:
        heard = exchange(address_service.port, sent.pieces, source=canaries.address(who))
        _check(sent, heard, who)

    send()


def test_requests_from_nobodys_address(address_service: Service) -> None:
    """Whoever has no server's address is told nothing of any."""

    @tries(few=400, many=20_000)
    @given(_SENT)
    def send(sent: Sent) -> None:
        heard = exchange(address_service.port, sent.pieces, source="127.0.0.99")
        _check(sent, heard, None)

    send()
