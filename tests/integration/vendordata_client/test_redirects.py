"""Where a redirect leads, and what is shown there."""

import ssl
from typing import Any

import pytest

from firstlight.instance import Instance, State
from firstlight.vendordata_client import Kind, NoObserver


def moved(location: str) -> Any:
    return lambda h: h.say(307, Location=location)


def test_another_origin_is_not_shown_the_token(
    serve: Any, configured: Any, auth: str, instance: Instance
) -> None:
    """It is asked the same question, as Nova asks it, but without the target's token; and so is
    what it leads to, back at the target included."""
    back = []
    target = serve(
        lambda h: (
            h.say(200, b'"back"')
            if h.path == "/back"
            else h.say(307, Location=f"{back[0].url}/elsewhere")
        )
    )
    back.append(serve(lambda h: h.say(307, Location=f"{target.url}/back")))
    assert configured(f"t@{target.url}/", auth=auth).ask(instance)["t"].value == "back"
    first, last = target.seen
    [between] = back[0].seen
    assert first.headers["X-Auth-Token"] == "token-1"
    assert first.body == between.body == last.body
    for seen in (between, last):
        assert "token" not in str(seen.headers).lower()


def test_the_same_origin_is(serve: Any, configured: Any, auth: str, instance: Instance) -> None:
    """A target that moves within itself gets its token."""
    target = serve(
        lambda h: (
            h.say(200, b"1") if h.path == "/new" else h.say(308, Location=f"{h.service.url}/new")
        )
    )
    assert configured(f"t@{target.url}/", auth=auth).ask(instance)["t"].value == 1
    assert [seen.headers["X-Auth-Token"] for seen in target.seen] == ["token-1"] * 2


def test_another_origin_does_not_have_the_token_renewed(
    serve: Any, configured: Any, keystone: Any, auth: str, instance: Instance
) -> None:
    """Its 401 says nothing about a token that it was not shown."""
    other = serve(lambda h: h.say(401))
    target = serve(moved(f"{other.url}/"))
    assert configured(f"t@{target.url}/", auth=auth).ask(instance)["t"].reason == "answered 401"
    assert (keystone.tokens, len(other.seen)) == (1, 1)


def test_from_https_to_http(
    serve: Any, configured: Any, certificates: Any, instance: Instance
) -> None:
    """What was to be encrypted is not sent in the clear: that target has failed, the other not."""
    kinds = []

    class Watching(NoObserver):
        def called(self, target: str, answer: Any, kind: Kind | None, seconds: float) -> None:
            kinds.append((target, kind))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    plain = serve(lambda h: h.say(200, b"1"))
    target = serve(moved(f"{plain.url}/"), context)
    data = configured(
        f"t@{target.url}/",
        f"good@{plain.url}/good",
        sections=f"[vendordata_target:t]\ncafile = {certificates.ca}",
        observer=Watching(),
    )
    answers = data.ask(instance)
    assert (answers["t"].value, answers["t"].state) == ({}, State.FAILED)
    assert answers["t"].reason == "redirects from https to http; that is not followed"
    assert answers["good"].value == 1
    assert [seen.path for seen in plain.seen] == ["/good"]
    assert sorted(kinds) == [("good", None), ("t", Kind.REDIRECT)]


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:99999/", "http://[::1/", "file://x/etc/passwd"]
)
def test_impossible_locations(
    serve: Any, configured: Any, instance: Instance, location: str
) -> None:
    """A Location that cannot be asked is that target's failure."""
    answer = configured(f"t@{serve(moved(location)).url}/").ask(instance)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)
