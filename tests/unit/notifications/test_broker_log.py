"""The driver's log lines about the message bus become one trouble."""

import logging

import pytest

from firstlight.notifications.broker_log import watched

DRIVER = logging.getLogger("oslo.messaging._drivers.impl_rabbit")


@pytest.fixture
def told():
    return []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "[0f3a-77] AMQP server on bus:5672 is unreachable: timed out. Trying again in 1 s",
            "AMQP server on bus:5672 is unreachable: timed out.",
        ),
        (
            "Connection failed: [Errno 111] refused (retrying in 2.0 seconds): refused",
            "Connection failed: [Errno 111] refused",
        ),
        ("[0f3a-77] Reconnected to AMQP server on bus:5672 via [amqp] client", None),
    ],
)
def test_a_line_about_the_bus(line, reason, told, caplog):
    """It is told without the connection's id and the next attempt, and not logged as well."""
    caplog.set_level("INFO")
    with watched(told.append):
        DRIVER.info(line)
    assert (told, caplog.messages) == ([reason], [])


def test_other_lines_are_logged(told, caplog):
    """As before; and after the block all are."""
    with watched(told.append):
        DRIVER.warning("Queue is deprecated")
    DRIVER.error("Connection failed: refused")
    assert (told, len(caplog.messages)) == ([], 2)


def test_the_level_is_as_before(told):
    """The line that says it is back is of level INFO, which the log may not show."""
    before = DRIVER.level
    DRIVER.setLevel(logging.ERROR)
    try:
        with watched(told.append):
            DRIVER.info("Reconnected to bus")
        assert (told, DRIVER.level) == ([None], logging.ERROR)
    finally:
        DRIVER.setLevel(before)
