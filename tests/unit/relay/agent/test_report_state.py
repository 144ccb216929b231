"""The agent's report to Neutron: first a call that starts it, then casts; and after a failure."""

from firstlight.relay.agent.report_state import StateReport
from support.servers.databases import eventually


class Away(Exception):
    """As oslo.messaging's exceptions, it quotes the URL."""


def test_first_and_later_reports():
    """The first one that arrives is a call with the start flag; each has an id of its own."""
    sent = []
    report = StateReport({"host": "h"}, lambda *said: sent.append(said), interval=0.01)
    report.start()
    assert eventually(lambda: len(sent) > 2)
    report.close()
    assert [(call, state.get("start_flag")) for state, call in sent[:3]] == [
        (True, True),
        (False, None),
        (False, None),
    ]
    assert len({state["uuid"] for state, _ in sent}) == len(sent)
    assert report.trouble() is None


def test_failure_and_recovery(caplog):
    """A bus that is away is a trouble without its URL, and the start flag is sent again after."""
    sent, away = [], [True]

    def send(state, call):
        if away[0]:
            raise Away("rabbit://user:pa55word@host")
        sent.append((call, state.get("start_flag")))

    report = StateReport({}, send, interval=0.01)
    report.start()
    assert eventually(lambda: report.trouble() is not None)
    assert "pa55word" not in str(report.trouble())
    assert "pa55word" not in caplog.text
    away[0] = False
    assert eventually(lambda: len(sent) > 1)
    report.close()
    assert sent[0] == (True, True)
    assert report.trouble() is None
