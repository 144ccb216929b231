"""Telling Neutron's server that the agent is alive, as its own metadata agent does.

Topic ``q-reports-plugin``, no namespace, method ``report_state(agent_state, time)`` (1.0 on). The
first report is a call, which says whether somebody is there; the others are casts.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic
from typing import Any
from uuid import uuid4

from oslo_config import cfg

LOG = logging.getLogger(__name__)

_TOPIC = "q-reports-plugin"
# Intervals after which a report that was begun should have ended: the server's patience is 2.5.
_LATE = 1.5
_CONTEXT = {"user_id": None, "project_id": None, "is_admin": True, "roles": ["admin"]}


class StateReport:
    """Reports every `interval` seconds, on a thread of its own, until :meth:`close`.

    `send(state, call)` sends one report; `call`: and waits until it has arrived.
    """

    def __init__(
        self,
        state: Mapping[str, Any],
        send: Callable[[Mapping[str, Any], bool], None],
        *,
        interval: float,
    ) -> None:
        self._state = dict(state)
        self._send = send
        self._interval = interval
        self._trouble: str | None = None
        self._arrived = False
        self._begun = monotonic()  # the last report, or the wait for the first
        self._end = Event()
        self._thread = Thread(target=self._run, name="report", daemon=True)

    def start(self) -> None:
        """Report now, and from now on."""
        self._thread.start()

    def trouble(self) -> str | None:
        """Why the last report did not arrive; None: it did, or has the time for it still."""
        if self._trouble is None and monotonic() - self._begun > _LATE * self._interval:
            return "the last report to Neutron's server has not ended: is the message bus there?"
        return self._trouble

    def close(self) -> None:
        """No more reports. One that is on its way is not waited for: the bus may be away."""
        self._end.set()

    def _run(self) -> None:
        while not self._end.is_set():
            self._report()
            self._end.wait(self._interval)

    def _report(self) -> None:
        self._begun = monotonic()
        first = {} if self._arrived else {"start_flag": True}
        try:
            self._send({**self._state, **first, "uuid": str(uuid4())}, not self._arrived)
        except Exception as error:  # noqa: BLE001  (the thread's boundary: it goes on reporting)
            why = type(error).__name__  # its message may quote the URL, password and all
            if self._trouble is None:
                LOG.warning("Neutron's server is not told that this agent is alive: %s", why)
            self._trouble = f"the last report to Neutron's server failed: {why}"
            self._arrived = False
            return
        if self._trouble is not None:
            LOG.info("Neutron's server knows again that this agent is alive")
        self._trouble = None
        self._arrived = True


def state_of(conf: cfg.ConfigOpts) -> Mapping[str, Any]:
    """What Neutron's own agent says of itself (metadata-proxy §4.7)."""
    return {
        "agent_type": "Metadata agent",
        "binary": "neutron-metadata-agent",
        "host": conf.host,
        "topic": "N/A",
        "configurations": {
            "metadata_proxy_socket": conf.metadata_proxy_socket,
            "nova_metadata_host": conf.nova_metadata_host,
            "nova_metadata_port": conf.nova_metadata_port,
            "log_agent_heartbeats": conf.AGENT.log_agent_heartbeats,
        },
    }


def open_report(conf: cfg.ConfigOpts, transport: Any) -> StateReport:
    """A report over `transport` (oslo.messaging's, on Neutron's exchange)."""
    import oslo_messaging

    interval = conf.AGENT.report_interval
    target = oslo_messaging.Target(topic=_TOPIC, version="1.0")
    client = oslo_messaging.get_rpc_client(transport, target, timeout=interval, retry=0)

    def send(state: Mapping[str, Any], call: bool) -> None:
        arguments = {
            "agent_state": {"agent_state": state},
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        }
        (client.call if call else client.cast)(_CONTEXT, "report_state", **arguments)

    return StateReport(state_of(conf), send, interval=interval)
