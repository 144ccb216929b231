"""Ports of OVN's southbound database, in an index that its events keep: no question is asked."""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from firstlight.relay.contract import Guest, Resolution, Unavailable
from firstlight.relay.ovn.ovsdb import DATABASE, ReplicaThread, session, southbound_remote
from firstlight.relay.ovn.southbound import SCHEMA, port_of
from firstlight.relay.resolvers.index import Index

LOG = logging.getLogger(__name__)

NAME = "ovn"


def open_ovn(conf: cfg.ConfigOpts) -> "OvnResolver":
    """The resolver, on ``[ovn] ovn_sb_connection``. It connects on a thread of its own.

    Raises:
        BadDatabase: see :func:`~firstlight.relay.ovn.ovsdb.southbound_remote`.
    """
    return OvnResolver(southbound_remote(conf))


class OvnResolver:
    """A :class:`~firstlight.relay.contract.Resolver` that knows every bound port of the cloud.

    Args:
        remote: as ovsdb(7) writes it; several with commas.
    """

    name = NAME

    def __init__(self, remote: str) -> None:
        self._remote = remote
        self._index = Index()
        self._lock = threading.Lock()  # of the replica and the index
        self._trouble: str | None = f"{remote}: not connected yet"
        self._replica = _replica(remote, self._index)
        self._session: int | None = None  # of the connection whose rows the index has
        self._replicating = ReplicaThread(
            NAME, self._replica, self._follow, failed=self._failed, lock=self._lock
        )
        self._replicating.start()

    def resolve(
        self,
        guests: Sequence[Guest],
        *,
        fresh: bool = False,  # noqa: ARG002  (nothing is kept but what the database says)
    ) -> Sequence[Resolution]:
        """One resolution for each guest, in their order; each is as fresh as the connection."""
        with self._lock:
            if self._trouble is not None:
                return [Unavailable(self._trouble)] * len(guests)
            return [self._index.resolve(guest) for guest in guests]

    def trouble(self) -> str | None:
        """Why the database is not followed; None: it is."""
        return self._trouble

    def close(self) -> None:
        """Hang up, and end the thread."""
        self._replicating.close()

    def _follow(self, _poller: Any) -> None:
        """Make the index that of this connection; within one, the replica tells it each change."""
        connection = session(self._replica)
        if connection is None:
            self._say(f"{self._remote}: not connected")
            return
        if connection != self._session:
            self._replica.index_all()
        self._session = connection
        self._say(None)

    def _failed(self) -> None:
        self._session = None
        self._say(f"{self._remote}: its rows cannot be followed; see the log")

    def _say(self, trouble: str | None) -> None:
        if (trouble is None) is not (self._trouble is None):
            if trouble is None:
                LOG.info("%s at %s: %d bound ports", DATABASE, self._remote, len(self._index))
            else:
                LOG.warning("%s is not followed any more: %s", DATABASE, trouble)
        self._trouble = trouble


def _replica(remote: str, index: Index) -> Any:
    """The replica; its class is made here because the library comes with an extra."""
    from ovs.db import idl

    class Replica(idl.Idl):  # type: ignore[misc]
        """Tells the index of each row; used with the resolver's lock held."""

        def notify(self, event: str, row: Any, updates: Any = None) -> None:  # noqa: ARG002  ovs's signature
            if row._table.name == "Port_Binding":
                if event == idl.ROW_DELETE:
                    index.drop(row.uuid)
                else:
                    self._put(row)

        def index_all(self) -> None:
            """After a new connection: rows that went meanwhile are told of by nobody."""
            index.clear()
            for row in self.tables["Port_Binding"].rows.values():
                self._put(row)

        def _put(self, row: Any) -> None:
            # Rows that no chassis has bound are what a migration or a deletion left behind.
            name = row.datapath.external_ids.get("name", "") if row.datapath else ""
            port = port_of(row.logical_port, row.mac, row.external_ids, name)
            index.put(row.uuid, [port] if row.chassis and port else [])

    schema = idl.SchemaHelper(None, SCHEMA)
    schema.register_all()
    # Any member of a cluster will do: it is only read.
    return Replica(remote, schema, leader_only=False)
