"""What an operator's monitoring sees of targets and of those who wait for them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from firstlight import conf as configuration
from firstlight.httpd.protocol.messages import Request, Response
from firstlight.metadata.backend import BackendError
from firstlight.metadata.deploy import Deployment
from firstlight.sources.store import Store
from support.servers.metadata_service import A, server, told

CONFIG = """
[api]
vendordata_providers = DynamicJSON
vendordata_dynamic_targets = t@http://127.0.0.1:1/
[vendordata_target:t]
required = true
breaker_failures = 1
breaker_seconds = 600
[store]
connection = sqlite:///{}/store.sqlite
[firstlight]
"""
NAMES = Path(__file__).resolve().parents[3] / "docs" / "names.md"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """A service whose required target is away; guests are sent away or let in at once.

    The server is there before: a change that is seen while the target is asked asks it again.
    """
    with closing(Store.open(f"sqlite:///{tmp_path}/store.sqlite")) as store:
        store.add(server(A, "a"))
    path = tmp_path / "metadata.conf"
    path.write_text(CONFIG.format(tmp_path) + "vendordata_retry_after = 7\n")
    with closing(Deployment(configuration.load("metadata", [str(path)]))) as made:
        yield made


def scrape(deployment: Deployment) -> str:
    return generate_latest(deployment.registry).decode()


def ask(deployment: Deployment, target: str, agent: str) -> Response:
    headers = {b"user-agent": agent.encode()}
    return told(deployment.service.handle(Request("GET", target, headers, peer="192.0.2.10")))


def test_what_is_counted(deployment: Deployment) -> None:
    """Calls, why they failed, what guests got, the breaker, and how guests went on."""
    sent_away = ask(deployment, "/openstack", "Cloud-Init/26.2")
    assert (sent_away.status, sent_away.headers) == (503, ((b"Retry-After", b"7"),))
    assert ask(deployment, "/openstack", "Cloud-Init/22.4.2").status == 200
    document = "/openstack/latest/vendor_data2.json"
    assert ask(deployment, document, "curl").status == 503
    text = scrape(deployment)
    for line in (
        'firstlight_target_answers_total{state="failed",target="t"} 1.0',
        'firstlight_target_failures_total{kind="unreachable",target="t"} 1.0',
        'firstlight_target_seconds_count{target="t"} 1.0',
        'firstlight_target_breaker{state="open",target="t"} 1.0',
        'firstlight_target_breaker{state="closed",target="t"} 0.0',
        'firstlight_target_kept_entries{target="t"} 0.0',
        'firstlight_door_left_total{how="sent-away"} 1.0',
        'firstlight_door_left_total{how="let-in"} 1.0',
        "firstlight_door_held 0.0",
    ):
        assert line in text, line


def test_every_metric_is_explained(deployment: Deployment) -> None:
    """Each family that is scraped stands in docs/names.md, by its name or the end of it."""
    page = NAMES.read_text()
    ours = [
        line.split()[2]
        for line in scrape(deployment).splitlines()
        if line.startswith(("# TYPE firstlight_target", "# TYPE firstlight_door"))
    ]
    named = [name for name in ours if not name.endswith("_created")]
    assert len(named) >= 10
    for name in named:
        assert name in page or f"…_{name.removeprefix('firstlight_target_')}" in page, name


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("vendordata_hold = 8.8", "vendordata_hold is 8.8 and must be at most 8.5"),
        ("vendordata_hold = 2\ndeadline = 2", "must be at most 1.5"),
    ],
)
def test_a_hold_that_the_deadline_would_end(tmp_path: Path, option: str, named: str) -> None:
    """A guest must not be answered 503 because two options do not fit: the start says so."""
    path = tmp_path / "metadata.conf"
    path.write_text(CONFIG.format(tmp_path) + option)
    with pytest.raises(BackendError, match=named):
        Deployment(configuration.load("metadata", [str(path)]))
