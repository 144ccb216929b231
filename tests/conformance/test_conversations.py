"""Every conversation of this directory, held with the service under each server."""

import json
import re
from http import HTTPStatus

import pytest

from conformance.asking import Heard, ask, signed_headers
from conformance.conversations import Conversation, Seen, Step, read_all
from conformance.processes import SERVERS, Service
from conformance.targets import Request, Targets
from firstlight.instance import Instance

SECRETS = {"open": ""}  # of deployments that have another than s3
# What a response may carry beside its content's type and length: nothing that Nova's does not,
# but for the request's id and what the connection itself needs.
OUR_HEADERS = {"X-Openstack-Request-Id", "Connection"}
SEED = b"[A-Za-z0-9+/]{683}="  # 512 bytes


def _name(conversation: Conversation) -> str:
    return f"{conversation.rows[0].split()[0]} {conversation.says}"


@pytest.mark.parametrize("conversation", read_all(), ids=_name)
@pytest.mark.parametrize("server", SERVERS)
def test_conversation(
    server: str,
    conversation: Conversation,
    service,
    instances: dict[str, Instance],
    vendordata_targets: Targets,
) -> None:
    """What is asked is answered as written: status, headers, bytes."""
    asked = service(server, conversation.deployment)
    for step in conversation.steps:
        for method, target in step.asks:
            vendordata_targets.seen.clear()
            known = {}
            if step.who != "nobody":
                secret = SECRETS.get(conversation.deployment, "s3")
                known = signed_headers(instances[step.who], secret)
            heard = _ask(asked, step, method, target, known)
            _compare(step, method, heard, f"{method} {target}")
            if step.new_each_time:
                assert _ask(asked, step, method, target, known).body != heard.body
            if step.targets_saw is not None:
                _compare_seen(step.targets_saw, vendordata_targets.seen)


def _ask(service: Service, step: Step, method: str, target: str, known: dict[str, str]) -> Heard:
    headers = {name: value for name, value in (known | step.headers).items() if value is not None}
    return ask(service.port, method, target, headers, step.sent, source=step.comes_from)


def _compare(step: Step, method: str, heard: Heard, asked: str) -> None:
    assert heard.status == step.status, (asked, heard)
    headers = {name: value for name, value in heard.headers.items() if name not in OUR_HEADERS}
    length = headers.pop("Content-Length")
    kind = headers.pop("Content-Type")
    assert headers == {name.title(): value for name, value in step.also.items()}, asked
    assert heard.headers["X-Openstack-Request-Id"].startswith("req-"), asked
    if method == "HEAD":
        assert heard.body == b"", asked
    else:
        assert int(length) == len(heard.body), asked
        _compare_body(step, heard, kind, asked)
    if step.type is not None and step.refused is None:
        assert kind == step.type, asked
    if step.length is not None:
        assert int(length) == step.length, asked


def _compare_body(step: Step, heard: Heard, kind: str, asked: str) -> None:
    if step.expected is not None:
        pattern = SEED.join(map(re.escape, step.expected.split(b"<seed>")))
        assert re.fullmatch(pattern, heard.body), (asked, heard.body, step.expected)
    if step.matches is not None:
        assert re.fullmatch(step.matches, heard.body.decode()), (asked, heard.body)
    if step.refused is not None:
        line = f"{step.status} {HTTPStatus(step.status).phrase}"
        assert heard.body.decode() == f"{line}\n\n{step.refused}\n\n   ", asked
        assert kind == "text/plain; charset=UTF-8", asked


def _compare_seen(expected: list[Seen], seen: list[Request]) -> None:
    by_ask = {f"{request.method} {request.path}": request for request in seen}
    assert sorted(by_ask) == sorted(one.ask for one in expected)
    assert len(by_ask) == len(seen), "a target was asked twice"
    for one in expected:
        request = by_ask[one.ask]
        for name, value in one.headers.items():
            assert request.headers.get(name) == value, name
        if isinstance(one.json, dict):
            assert json.loads(request.body) == one.json
