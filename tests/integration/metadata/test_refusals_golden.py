"""What real Nova refuses, refused by ours in the same words, over real HTTP."""

import json
from pathlib import Path

import pytest

from conformance.processes import instance_command, running
from lab import golden
from lab.asking import Reply
from lab.kinds.table import KINDS
from lab.nova import SECRET
from lab.refusals import ask_refusals

CONFIG = f"""
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {SECRET}
"""


@pytest.fixture(scope="module")
def replies(tmp_path_factory) -> dict[str, Reply]:
    """The service's own replies to the recorded requests."""
    home: Path = tmp_path_factory.mktemp("refusals")
    document = home / "full.json"
    told = {name: value for name, value in KINDS["full"].instance.items() if name != "password"}
    document.write_text(json.dumps(told))
    store, conf = home / "store.sqlite", home / "signed.conf"
    conf.write_text(CONFIG)
    instance_command(store, home, "add", str(document))
    with running("firstlight", home, store, [conf]) as service:
        post_password(service.port)
        return ask_refusals(service.port, KINDS["full"])


def post_password(port: int) -> None:
    """The recorded server has one already."""
    from lab.asking import Client, signed

    kind = KINDS["full"]
    headers = signed(kind.instance["uuid"], kind.instance["project_id"], SECRET, None)
    with Client(port) as client:
        path, body = "/openstack/latest/password", kind.instance["password"].encode()
        assert client.ask(path, headers.items(), method="POST", body=body).status == 200


RECORDED = golden.named_from_json(golden.read("refusals")["replies"])


@pytest.mark.parametrize("name", RECORDED)
def test_it_is_refused_in_novas_words(name, replies):
    """Status, type and body are those that real Nova gave."""
    assert replies[name] == RECORDED[name]


def test_the_recorded_refusals_are_many():
    """A suite that lost its file would be green."""
    assert len(RECORDED) > 100
