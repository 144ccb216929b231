"""Two services on one store agree: a change made by anyone is seen by both."""

import json
from pathlib import Path

import pytest

from conformance.processes import instance_command, running
from lab.asking import Client, signed
from lab.kinds.table import KINDS
from lab.nova import SECRET
from support.servers.databases import eventually

CONFIG = f"""
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {SECRET}
[api]
metadata_cache_expiration = 3600
"""
OURS = KINDS["minimal"].instance
META_DATA = "/openstack/latest/meta_data.json"
PASSWORD = "/openstack/latest/password"


@pytest.fixture
def two(tmp_path: Path):
    """Their ports, and a function that runs ``firstlight instance`` on their store."""
    document, conf, store = (
        tmp_path / name for name in ("one.json", "signed.conf", "store.sqlite")
    )
    document.write_text(json.dumps(OURS))
    conf.write_text(CONFIG)
    homes = [tmp_path / "first", tmp_path / "second"]
    for home in homes:
        home.mkdir()

    def instance(*arguments: str) -> None:
        instance_command(store, tmp_path, *arguments)

    instance("add", str(document))
    with (
        running("firstlight", homes[0], store, [conf]) as first,
        running("firstlight", homes[1], store, [conf]) as second,
    ):
        yield (first.port, second.port), instance


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None):
    headers = signed(OURS["uuid"], OURS["project_id"], SECRET, None).items()
    with Client(port) as client:
        return client.ask(path, headers, method=method, body=body)


def test_a_change_reaches_both_though_they_remember_for_an_hour(two):
    """Metadata changed by the command is in both services' next answers."""
    ports, instance = two
    assert all(ask(port, META_DATA).status == 200 for port in ports)
    instance("update", OURS["uuid"], "--metadata", "role=db")
    assert all(eventually(lambda p=p: b'"role": "db"' in ask(p, META_DATA).body, 5) for p in ports)


def test_a_password_posted_to_one_is_known_to_the_other(two):
    """It is shown by both, and neither takes a second one."""
    (first, second), _ = two
    assert ask(second, PASSWORD).body == b""
    assert ask(first, PASSWORD, "POST", b"secret").status == 200
    assert ask(second, PASSWORD, "POST", b"another").status == 409
    assert ask(second, PASSWORD).body == b"secret"


def test_a_removed_instance_is_gone_from_both(two):
    """404 from both, however long they would have remembered."""
    ports, instance = two
    assert all(ask(port, META_DATA).status == 200 for port in ports)
    instance("remove", OURS["uuid"])
    assert all(eventually(lambda p=p: ask(p, META_DATA).status == 404, 5) for p in ports)
