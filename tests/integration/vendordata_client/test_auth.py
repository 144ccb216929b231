"""Who asks: service tokens, and a Keystone that is away."""

import socket
import threading
from typing import Any

import pytest

from firstlight.instance import Instance, State


def test_the_token_is_sent(
    serve: Any, configured: Any, keystone: Any, auth: str, instance: Instance
) -> None:
    """Targets get the service's token; it is fetched once, however many targets and questions."""
    first, second = (serve(lambda h: h.say(200, b"1")) for _ in range(2))
    data = configured(f"a@{first.url}", f"b@{second.url}", auth=auth)
    assert keystone.tokens == 0  # nothing is sent before somebody asks
    data.ask(instance)
    data.ask(instance)
    tokens = {seen.headers["X-Auth-Token"] for seen in first.seen + second.seen}
    assert (tokens, keystone.tokens) == ({"token-1"}, 1)


def test_a_refused_token_is_renewed(
    serve: Any, configured: Any, keystone: Any, auth: str, instance: Instance
) -> None:
    """A target's 401 fetches a new token and asks once more."""

    def script(handler: Any) -> None:
        old = handler.headers["X-Auth-Token"] == "token-1"
        handler.say(401 if old else 200, b'"welcome"')

    target = serve(script)
    assert configured(f"t@{target.url}", auth=auth).ask(instance)["t"].value == "welcome"
    assert [seen.headers["X-Auth-Token"] for seen in target.seen] == ["token-1", "token-2"]


def test_a_target_that_refuses_every_token(
    serve: Any, configured: Any, keystone: Any, auth: str, instance: Instance
) -> None:
    """It is asked twice, not for ever."""
    target = serve(lambda h: h.say(401))
    answer = configured(f"t@{target.url}", auth=auth).ask(instance)["t"]
    assert answer.reason == "answered 401"
    assert len(target.seen) == 2


def test_a_token_that_cannot_be_renewed(serve: Any, configured: Any, instance: Instance) -> None:
    """With a fixed token a 401 is final."""
    target = serve(lambda h: h.say(401))
    auth = "auth_type = admin_token\nendpoint = http://127.0.0.1:1\ntoken = fixed"
    answer = configured(f"t@{target.url}", auth=auth).ask(instance)["t"]
    assert answer.reason == "answered 401"
    assert [seen.headers["X-Auth-Token"] for seen in target.seen] == ["fixed"]


def test_keystone_refuses(
    serve: Any, configured: Any, keystone: Any, auth: str, instance: Instance
) -> None:
    """Without a token no target is called; each has failed, and says that it was Keystone."""
    keystone.refuses = True
    target = serve(lambda h: h.say(200, b"1"))
    answer = configured(f"t@{target.url}", auth=auth).ask(instance)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert answer.reason.startswith("no service token: Keystone: go away (HTTP 401)")
    assert target.seen == []


def test_keystone_is_away(
    serve: Any, configured: Any, auth: str, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """A Keystone that cannot be reached is named; its password is not."""
    caplog.set_level("DEBUG")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        lines = auth.splitlines()
        lines[1] = f"auth_url = http://127.0.0.1:{unused.getsockname()[1]}"
        data = configured("t@http://127.0.0.1:1/", auth="\n".join(lines))
        answer = data.ask(instance)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert "no service token: Keystone" in answer.reason
    assert "hush" not in caplog.text


def test_keystone_hangs(
    serve: Any, configured: Any, keystone: Any, auth: str, instance: Instance
) -> None:
    """Nobody waits for Keystone beyond the deadline; the token is there for the next question."""
    keystone.hangs = threading.Event()
    target = serve(lambda h: h.say(200, b"1"))
    data = configured(f"a@{target.url}", f"b@{target.url}", auth=auth)
    answers = data.ask(instance, 0.5)
    assert {answer.state for answer in answers.values()} == {State.FAILED}
    keystone.hangs.set()
    assert [answer.value for answer in data.ask(instance, 20).values()] == [1, 1]
    assert keystone.tokens == 1


def test_secrets_are_not_logged(
    serve: Any, configured: Any, auth: str, instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither token nor user data nor answer reaches the log, even at debug level."""
    caplog.set_level("DEBUG")
    target = serve(lambda h: h.say(200, b'"confidential"', Content_Type="application/json"))
    data = configured(f"t@{target.url}", auth=auth)
    assert data.ask(instance)["t"].value == "confidential"
    assert target.seen[0].headers["X-Auth-Token"] == "token-1"
    assert instance.user_data
    for secret in ("token-1", instance.user_data, "confidential", "hush-hush"):
        assert secret not in caplog.text
