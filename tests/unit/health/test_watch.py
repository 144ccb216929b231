"""What is away is asked again; what works is left alone."""

import logging
import threading

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from firstlight.health import Dependency, Watch, troubles
from firstlight.health.metrics import DependencyCollector
from support.servers.databases import eventually


class Thing:
    """Something that may be away."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.up = True
        self.trouble: str | None = None
        self.asked = 0

    def dependency(self) -> Dependency:
        return Dependency(self.name, lambda: self.trouble, self.ask)

    def ask(self) -> None:
        self.asked += 1
        self.trouble = None if self.up else f"{self.name} said nothing"


@pytest.fixture
def things():
    """Two of them, watched."""
    things = [Thing("neutron"), Thing("cell one")]
    watch = Watch(lambda: [thing.dependency() for thing in things], interval=0.02)
    watch.start()
    yield things
    watch.close()


def test_all_are_asked_at_the_start(things):
    """So that readiness says something before the first guest comes."""
    assert eventually(lambda: [thing.asked for thing in things] == [1, 1])


def test_what_works_is_not_asked_again(things):
    """Only the one in trouble is."""
    neutron, cell = things
    neutron.up = False
    neutron.trouble = "found out by a request"
    assert eventually(lambda: neutron.asked > 4)
    assert cell.asked == 1


def test_it_is_said_once_when_it_goes_and_once_when_it_is_back(things, caplog):
    """Two log lines for an outage, whatever its length."""
    caplog.set_level(logging.INFO, "firstlight.health")
    neutron = things[0]
    neutron.up, neutron.trouble = False, "connection refused"
    assert eventually(lambda: neutron.asked > 3)
    neutron.up = True
    assert eventually(lambda: neutron.trouble is None)
    assert eventually(lambda: len(caplog.records) == 2)
    first, last = (record.getMessage() for record in caplog.records)
    assert first.startswith("neutron is away: ")
    assert last.startswith("neutron answers again after ")


def test_a_probe_that_raises_is_logged_and_the_others_are_asked(caplog):
    """A fault of ours in one costs none of the others."""
    second = Thing("second")
    second.trouble = "away"

    def fail() -> None:
        raise RuntimeError("a fault")

    first = Dependency("first", lambda: "away", fail)
    watch = Watch(lambda: [first, second.dependency()], interval=0.02)
    watch.start()
    assert eventually(lambda: second.trouble is None)
    watch.close()
    assert "first could not be asked" in caplog.text


def test_nobody_waits_for_one_that_hangs():
    """Ending the service does not."""
    hangs = threading.Event()
    watch = Watch(lambda: [Dependency("first", lambda: "away", lambda: hangs.wait(60))])
    watch.start()
    watch.close()
    hangs.set()


def test_metrics_have_one_line_for_each_name():
    """Two cells of one name are added up: Prometheus takes no name twice."""
    one, two, three = Thing("cell a"), Thing("cell a"), Thing("neutron")
    one.trouble = two.trouble = "away"
    registry = CollectorRegistry()
    registry.register(DependencyCollector(lambda: [t.dependency() for t in (one, two, three)]))
    text = generate_latest(registry).decode()
    assert 'firstlight_dependency_away{dependency="cell a"} 2.0' in text
    assert 'firstlight_dependency_away{dependency="neutron"} 0.0' in text
    assert troubles([three.dependency()]) == {"neutron": None}


def test_all_are_asked_again_where_nobody_else_would_tell():
    """With `again`, one that goes while it works is noticed."""
    thing = Thing("provider a")
    watch = Watch(lambda: [thing.dependency()], interval=0.01, again=0.02)
    watch.start()
    assert eventually(lambda: thing.asked > 1)
    thing.up = False
    assert eventually(lambda: thing.trouble is not None)
    watch.close()


def test_a_list_that_cannot_be_made_is_made_again(caplog):
    """A cell that comes just then, or any fault of ours, does not end the watch."""
    thing, turns = Thing("neutron"), iter(range(1_000_000))

    def listed():
        if next(turns) == 0:
            raise RuntimeError("dictionary changed size during iteration")
        return [thing.dependency()]

    watch = Watch(listed, interval=0.01)
    watch.start()
    assert eventually(lambda: thing.asked == 1)
    watch.close()
    assert "changed size" in caplog.text
