"""Telling Neutron, through OVN's southbound database, that a chassis' metadata agent is alive.

With ML2/OVN there is no message bus between Neutron and its agents. Neutron counts upwards in the
northbound database, OVN copies the number to ``SB_Global.nb_cfg``, and an agent is alive that
writes it into its chassis' row of ``Chassis_Private`` (metadata-proxy §5; schema: ovn-sb(5)).
"""

import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid5

from oslo_config import cfg

from firstlight.relay.ovn.ovsdb import (
    DATABASE,
    MAP,
    NUMBER,
    PAUSE,
    TEXT,
    ReplicaThread,
    session,
    southbound_remote,
)

LOG = logging.getLogger(__name__)

ID, SEEN = "neutron:ovn-metadata-id", "neutron:ovn-metadata-sb-cfg"
# By which Neutron's agent makes an id of a chassis' name that is no UUID; so that the row in
# Neutron's list is the same one, whichever agent writes it.
_NAMES = UUID("d34bf9f6-da32-4871-9af8-15a4626b41ab")
_LEAST, _MOST = 3.0, 10.0  # seconds within which all chassis answer one count

_CHASSIS: dict[str, Any] = {"type": {"key": {"type": "uuid", "refTable": "Chassis"}, "min": 0}}
_SCHEMA: dict[str, Any] = {
    "name": DATABASE,
    "version": "1.0.0",
    "tables": {
        "SB_Global": {"columns": {"nb_cfg": NUMBER}},
        "Chassis": {"columns": {"name": TEXT, "hostname": TEXT}},
        "Chassis_Private": {"columns": {"name": TEXT, "chassis": _CHASSIS, "external_ids": MAP}},
    },
}


def agent_id(chassis: str) -> str:
    """The id under which Neutron lists the metadata agent of the chassis of that name."""
    try:
        namespace = UUID(chassis)
    except ValueError:
        namespace = uuid5(_NAMES, chassis)
    return str(uuid5(namespace, "metadata_agent"))


def open_chassis_report(conf: cfg.ConfigOpts) -> "ChassisHeartbeat":
    """For the chassis whose hostname is ``[DEFAULT] host``. It connects when it is started.

    Raises:
        BadDatabase: see :func:`~firstlight.relay.ovn.ovsdb.southbound_remote`.
    """
    spread = max(min(conf.agent_down_time / 3, _MOST), _LEAST)
    return ChassisHeartbeat(
        southbound_remote(conf),
        conf.host,
        delay=lambda: random.uniform(0, spread),  # noqa: S311  no secret
    )


class ChassisHeartbeat:
    """Answers each count of Neutron's in the row of one chassis, until :meth:`close`.

    Args:
        remote: as ovsdb(7) writes it; several with commas.
        host: the chassis' hostname, as ovn-controller has it.
        delay: seconds to wait before an answer, so that not all chassis write at one moment; the
            first answer waits for nothing.
    """

    def __init__(self, remote: str, host: str, *, delay: Callable[[], float]) -> None:
        self._remote = remote
        self._host = host
        self._delay = delay
        self._replica = _replica(remote)
        self._begun: Any = None  # a transaction whose end is not known
        self._due: float | None = None  # when the next may begin
        self._answered = False
        self._trouble: str | None = f"{remote}: not connected yet"
        self._replicating = ReplicaThread("report", self._replica, self._turn, failed=self._failed)

    def start(self) -> None:
        """Report now, and from now on."""
        self._replicating.start()

    def trouble(self) -> str | None:
        """Why Neutron does not know that the agent is alive; None: it does."""
        return self._trouble

    def close(self) -> None:
        """No more reports."""
        self._replicating.close()

    def _turn(self, poller: Any) -> None:
        self._say(self._report())
        if self._begun is not None:
            self._begun.wait(poller)
        elif self._due is not None:
            poller.timer_wait(max(0, round(1000 * (self._due - time.monotonic()))))

    def _failed(self) -> None:
        self._say(f"{self._remote}: the report failed; see the log")

    def _report(self) -> str | None:
        """Do what is due; what is in the way, if anything is."""
        if session(self._replica) is None:
            self._begun = self._due = None
            return f"{self._remote}: not connected"
        if self._begun is not None:
            return self._ended()
        rows = self._replica.rows_of(self._host)
        if len(rows) != 1:
            return _which(self._host, len(rows))
        [row] = rows
        wanted = {ID: agent_id(row.name), SEEN: str(self._replica.count())}
        missing = {
            key: value for key, value in wanted.items() if row.external_ids.get(key) != value
        }
        if not missing:
            self._due = None
            self._answered = True
            return None
        return self._answer(row, missing)

    def _answer(self, row: Any, missing: Mapping[str, str]) -> str | None:
        now = time.monotonic()
        if self._due is None:
            self._due = now + (self._delay() if self._answered else 0)
        if now < self._due:
            return self._trouble
        self._due = None
        self._begun = self._replica.write(row, missing)
        return self._ended()

    def _ended(self) -> str | None:
        """What became of the transaction, as far as it is known."""
        status = self._begun.commit()
        if status == self._begun.INCOMPLETE:
            return self._trouble
        error, self._begun = self._begun.get_error(), None
        if status in ("success", "unchanged"):
            self._answered = True
            return None
        self._due = time.monotonic() + PAUSE / 1000
        if status == "try again":  # the row changed, or the connection was lost
            return self._trouble
        return f"{self._remote} does not take the report: {status} {error or ''}".rstrip()

    def _say(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            if trouble is None:
                LOG.info("OVN's southbound database says that this chassis' agent is alive")
            else:
                LOG.warning("Neutron is not told that this agent is alive: %s", trouble)
        self._trouble = trouble


def _which(host: str, number: int) -> str:
    how_many = "no chassis has" if number == 0 else f"{number} chassis have"
    return (
        f"{how_many} the hostname {host}: [DEFAULT] host must be what external_ids:hostname of"
        " this host's Open vSwitch says"
    )


def _replica(remote: str) -> Any:
    """The replica; its class is made here because the library comes with an extra."""
    from ovs.db import idl

    class Replica(idl.Idl):  # type: ignore[misc]
        """Of three small tables."""

        def rows_of(self, host: str) -> list[Any]:
            """Of ``Chassis_Private``, those whose chassis has that hostname."""
            rows = self.tables["Chassis_Private"].rows.values()
            return [row for row in rows if row.chassis and row.chassis[0].hostname == host]

        def count(self) -> int:
            """Neutron's, as OVN has copied it."""
            return max((row.nb_cfg for row in self.tables["SB_Global"].rows.values()), default=0)

        def write(self, row: Any, ids: Mapping[str, str]) -> Any:
            """A transaction, not committed yet, that sets these keys and leaves the others."""
            transaction = idl.Transaction(self)
            for key, value in ids.items():
                row.setkey("external_ids", key, value)
            return transaction

    schema = idl.SchemaHelper(None, _SCHEMA)
    schema.register_all()
    return Replica(remote, schema, leader_only=False)
