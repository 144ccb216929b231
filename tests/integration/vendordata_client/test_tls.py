"""https targets, verified as Nova verifies them."""

import ssl
from typing import Any

import pytest

from firstlight.instance import Instance, State


@pytest.fixture
def context(certificates: Any) -> ssl.SSLContext:
    """A server's side."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificates.server, certificates.server_key)
    return made


@pytest.fixture
def target(serve: Any, context: ssl.SSLContext) -> Any:
    return serve(lambda h: h.say(200, b'"safe"'), context)


def test_private_ca(target: Any, configured: Any, certificates: Any, instance: Instance) -> None:
    """A target is verified with vendordata_dynamic_ssl_certfile."""
    api = f"vendordata_dynamic_ssl_certfile = {certificates.ca}"
    assert configured(f"t@{target.url}", api=api).ask(instance)["t"].value == "safe"


@pytest.mark.parametrize("auth", ["", "insecure = true", "cafile = {ca}"])
def test_unknown_ca(
    target: Any, configured: Any, certificates: Any, instance: Instance, auth: str
) -> None:
    """Without it the system's CAs decide; the auth section's cafile is for Keystone alone."""
    data = configured(f"t@{target.url}", auth=auth.format(ca=certificates.ca))
    answer = data.ask(instance)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)
    assert answer.reason.startswith("TLS failed: ")
    assert "certificate verify failed" in answer.reason
    assert target.seen == []


def test_capital_scheme_is_verified(target: Any, configured: Any, instance: Instance) -> None:
    """HTTPS:// is https:// (Nova does not verify it)."""
    url = target.url.replace("https", "HTTPS")
    assert "certificate verify failed" in configured(f"t@{url}").ask(instance)["t"].reason


def test_missing_ca_file(target: Any, configured: Any, instance: Instance) -> None:
    """A CA file that does not exist is named."""
    data = configured(f"t@{target.url}", api="vendordata_dynamic_ssl_certfile = /no/ca.pem")
    answer = data.ask(instance)["t"]
    assert answer.state is State.FAILED
    assert "/no/ca.pem" in answer.reason


def test_client_certificate(
    target: Any, configured: Any, certificates: Any, context: ssl.SSLContext, instance: Instance
) -> None:
    """certfile and keyfile of the auth section are presented to a target that wants them."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.ca)
    api = f"vendordata_dynamic_ssl_certfile = {certificates.ca}"
    auth = f"certfile = {certificates.client}\nkeyfile = {certificates.client_key}"
    assert configured(f"t@{target.url}", api=api, auth=auth).ask(instance)["t"].value == "safe"
    refused = configured(f"t@{target.url}", api=api).ask(instance)["t"]
    assert (refused.value, refused.state) == ({}, State.FAILED)


def test_plain_http_to_a_tls_port(target: Any, configured: Any, instance: Instance) -> None:
    """The wrong scheme is a failure like any other."""
    answer = configured(f"t@{target.url.replace('https', 'http')}").ask(instance)["t"]
    assert (answer.value, answer.state) == ({}, State.FAILED)


def test_tls_to_a_plain_port(serve: Any, configured: Any, instance: Instance) -> None:
    """So is it the other way round."""
    plain = serve(lambda h: h.say(200, b"1"))
    answer = configured(f"t@{plain.url.replace('http', 'https')}").ask(instance)["t"]
    assert answer.reason.startswith("TLS failed: ")


def test_a_targets_own_tls(
    target: Any, configured: Any, certificates: Any, context: ssl.SSLContext, instance: Instance
) -> None:
    """CA and client certificate of one target's section; the others' are as they were."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.ca)
    sections = (
        f"[vendordata_target:own]\ncafile = {certificates.ca}\n"
        f"certfile = {certificates.client}\nkeyfile = {certificates.client_key}\n"
    )
    answers = configured(f"own@{target.url}", f"other@{target.url}", sections=sections).ask(
        instance
    )
    assert answers["own"].value == "safe"
    assert answers["other"].reason.startswith("TLS failed: ")


def test_a_key_without_a_certificate(configured: Any) -> None:
    """It stops the start, by name."""
    with pytest.raises(ValueError, match=r"\[vendordata_target:t\] keyfile is set"):
        configured("t@https://127.0.0.1:1", sections="[vendordata_target:t]\nkeyfile = /k.pem")
