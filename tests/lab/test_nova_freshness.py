"""After Nova changes a server, our documents are Nova's again: within the TTL, or at once."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest

from conformance.processes import Service, running
from lab.asking import Reply
from lab.changes import Changes, changing
from lab.environment import NoLab, lab
from lab.kinds.kind import Kind
from lab.kinds.table import KINDS
from lab.recording import Lab, a_lab, ask_all
from support.parts import absent
from support.servers.daemons import Daemon, memcached_at, rabbitmq  # noqa: F401  fixtures
from support.servers.daemons import running as running_daemon
from support.servers.databases import eventually

TTL = 1.0  # [api] metadata_cache_expiration of the service that nobody tells anything
PATIENCE = 60
FORMS = {"versioned": "versioned_notifications", "unversioned": "notifications"}
CHANGES = (
    "reboot",
    "stop",
    "start",
    "rebuild",
    "metadata",
    "attach interface",
    "detach interface",
    "attach volume",
    "resize",
    "live migration",
    *(("rename", "detach volume", "shelve") if os.environ.get("FIRSTLIGHT_SOAK") else ()),
)
PATHS = (
    *(f"/openstack/latest/{name}" for name in ("meta_data.json", "network_data.json")),
    *(f"/openstack/2018-08-27/{name}" for name in ("meta_data.json", "user_data", "password")),
    "/openstack/latest/vendor_data2.json",
    "/openstack/2012-08-10",
    "/latest/user-data",
    *(
        f"/latest/meta-data/{leaf}"
        for leaf in (
            *("ami-id", "hostname", "instance-id", "instance-type", "local-ipv4"),
            *("public-keys/0/openssh-key", "placement/availability-zone"),
            *("block-device-mapping", "block-device-mapping/ebs0", "public-ipv4"),
        )
    ),
)


class Bed(NamedTuple):
    """Real Nova, which remembers nothing, and ours: with a TTL, and told in each form.

    One that is told has two workers, the other is under uWSGI; all share one memcached.
    """

    nova: int
    ttl: Service
    told: Mapping[str, Service]
    changes: Changes

    def wanted(self, kind: Kind) -> dict[str, Reply]:
        return ask_all(self.nova, kind, PATHS, slash=False)

    def ours(self, service: Service, kind: Kind) -> dict[str, Reply]:
        """A connection for each path: it may be another worker's, and uWSGI closes them all."""
        return {path: ask_all(service.port, kind, [path], slash=False)[path] for path in PATHS}

    def everywhere(self, service: Service, kind: Kind, wanted: Mapping[str, Reply]) -> bool:
        """Whether whoever accepts a connection of a service answers so."""
        return all(self.ours(service, kind) == wanted for _ in range(2))

    def warm(self, kind: Kind) -> dict[str, Reply]:
        """Everybody has the server in memory; what Nova says of it."""
        wanted = self.wanted(kind)
        for service in (self.ttl, *self.told.values()):
            assert eventually(lambda s=service: self.everywhere(s, kind, wanted), PATIENCE)
        return wanted


@pytest.fixture(scope="module")
def bed(rabbitmq: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:  # noqa: F811  a fixture
    """Nova, three services of ours, and one broker."""
    try:
        environment = lab()
    except NoLab as reason:
        absent(str(reason))
    with ExitStack() as stack:
        real = stack.enter_context(a_lab(environment, [KINDS["full"], KINDS["minimal"]]))
        nova = stack.enter_context(real._nova.serving({}))  # metadata_cache_expiration = 0

        cache = stack.enter_context(contextmanager(running_daemon)(memcached_at))

        def ours(server: str, name: str, text: str) -> Service:
            home = tmp_path_factory.mktemp(name)
            conf = home / "ours.conf"
            conf.write_text(text + sharing(cache))
            files = [real.nova_conf, broker, conf]
            return stack.enter_context(running(server, home, home / "unused", files))

        broker = broker_conf(rabbitmq.port, real)
        ttl = ours("firstlight", "ttl", f"[api]\nmetadata_cache_expiration = {TTL:.0f}\n")
        told = {
            form: ours(server, form, listening(form, topic))
            for server, (form, topic) in zip(("firstlight", "uwsgi"), FORMS.items(), strict=True)
        }
        for service in told.values():
            assert eventually(lambda s=service: "are heard" in s.log.read_text(), PATIENCE)
        home = tmp_path_factory.mktemp("changes")
        changes = stack.enter_context(changing(environment, [real.nova_conf, broker], home))
        yield Bed(nova, ttl, told, changes)


def broker_conf(port: int, real: Lab) -> Path:
    """What an operator adds to the nova.conf of all services."""
    path = real.nova_conf.with_name("broker.conf")
    path.write_text(
        "[oslo_messaging_notifications]\n"
        f"transport_url = rabbit://guest:guest@127.0.0.1:{port}/\ndriver = messagingv2\n"
        "[notifications]\nnotification_format = both\n"
        "[glance]\napi_servers = http://127.0.0.1:9292\n"  # unversioned ones name the image's URL
    )
    return path


def sharing(cache: Daemon) -> str:
    return (
        "[cache]\nenabled = true\nbackend = oslo_cache.memcache_pool\n"
        f"memcache_servers = 127.0.0.1:{cache.port}\nsocket_timeout = 5\n"
    )


def listening(form: str, topic: str) -> str:
    """A service that would see a change after an hour if nobody told it."""
    return (
        "[DEFAULT]\nmetadata_workers = 2\nlog_file =\n"
        "[api]\nmetadata_cache_expiration = 3600\n[firstlight]\nnotifications = true\n"
        f"notification_pool = firstlight-{form}\nnotification_topics = {topic}\n"
    )


def scraped(service: Service, metric: str) -> float:
    """A number of the service's, all workers together."""
    with urlopen(f"http://127.0.0.1:{service.status_port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(metric))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(bed, change):
    """Every document is Nova's: at once where Nova tells, in either form, else within the TTL."""
    kind = KINDS["full"]
    before = bed.warm(kind)
    bed.changes.make(change, kind.instance["uuid"])
    made = time.monotonic()
    wanted = bed.wanted(kind)
    assert wanted != before, "the change shows in no document: the test would show nothing"
    for service in bed.told.values():
        assert eventually(lambda s=service: bed.everywhere(s, kind, wanted), PATIENCE)
    time.sleep(max(0.0, made + TTL - time.monotonic()))
    assert bed.ours(bed.ttl, kind) == wanted


def test_an_untold_change_is_seen_after_the_ttl(bed):
    """Not a moment later; and those who rely on being told show that they had it in memory."""
    kind = KINDS["full"]
    before = bed.warm(kind)
    bed.changes.make("metadata", kind.instance["uuid"], notify=False)
    time.sleep(TTL)
    wanted = bed.wanted(kind)
    assert bed.ours(bed.ttl, kind) == wanted != before
    for service in bed.told.values():
        assert bed.ours(service, kind) == before


def test_a_deleted_server_is_gone(bed):
    """Where Nova says 404, so do all of ours."""
    kind = KINDS["minimal"]
    bed.warm(kind)
    bed.changes.make("delete", kind.instance["uuid"])
    made = time.monotonic()
    wanted = bed.wanted(kind)
    assert {reply.status for reply in wanted.values()} == {404}
    for service in bed.told.values():
        assert eventually(lambda s=service: bed.everywhere(s, kind, wanted), PATIENCE)
    time.sleep(max(0.0, made + TTL - time.monotonic()))
    assert bed.ours(bed.ttl, kind) == wanted


def test_the_processes_shared_what_they_read(bed):
    """The proof above went through the shared cache: it was read, written and outdated."""
    service = bed.told["versioned"]
    for outcome in ("found", "put", "forgotten"):
        metric = f'firstlight_shared_cache_total{{outcome="{outcome}"}}'
        assert eventually(lambda m=metric: scraped(service, m) > 0, PATIENCE), outcome
    assert scraped(service, 'firstlight_notifications_total{form="versioned"}') > 0
    assert scraped(service, 'firstlight_notifications_total{form="unversioned"}') == 0
