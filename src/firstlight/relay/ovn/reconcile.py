"""Following the southbound database: what a chassis needs is made, the rest goes."""

import logging
import time
from collections.abc import Iterator
from typing import Any, Protocol

from firstlight.relay.namespaces import place_of
from firstlight.relay.ovn.desired_state import DesiredNamespace, PortBinding, desired_namespaces
from firstlight.relay.ovn.ovsdb import DATABASE, MAP, TEXT, TEXTS, ReplicaThread, session
from firstlight.relay.ovn.provision import PREFIX, CommandFailed
from firstlight.relay.ovn.southbound import port_of

LOG = logging.getLogger(__name__)

_MADE, _REMOVED = "namespace made: ovnmeta-%s", "namespace removed: ovnmeta-%s"

_SETTLED = 0.1  # seconds without a change before anything is done
_AGAIN = 5.0  # seconds after a failure


def _reference(table: str, *, many: bool = False) -> dict[str, Any]:
    kind: dict[str, Any] = {"key": {"type": "uuid", "refTable": table}, "min": 0}
    return {"type": kind | ({"max": "unlimited"} if many else {})}


_SCHEMA: dict[str, Any] = {
    "name": DATABASE,
    "version": "1.0.0",
    "tables": {
        "Chassis": {"columns": {"name": TEXT}},
        "Datapath_Binding": {"columns": {"external_ids": MAP}},
        "Port_Binding": {
            "columns": {
                "logical_port": TEXT,
                "type": TEXT,
                "mac": TEXTS,
                "chassis": _reference("Chassis"),
                "additional_chassis": _reference("Chassis", many=True),
                "datapath": _reference("Datapath_Binding"),
                "external_ids": MAP,
            }
        },
    },
}


class Provisioner(Protocol):
    """What namespaces are made by: :class:`firstlight.relay.ovn.provision.OvnHost`."""

    chassis: str

    def present(self) -> set[str]: ...
    def make(self, namespace: DesiredNamespace) -> None: ...
    def remove(self, network_id: str) -> None: ...


class OvnReconciler:
    """Keeps the namespaces of one host, on a thread of its own, until :meth:`close`.

    While the database is away nothing is changed; at the end all namespaces stay.

    Attributes:
        turned: when it last showed that it goes on, monotonic.

    Args:
        every: seconds after which it shows that at the latest, though nothing changes.
    """

    def __init__(self, remote: str, host: Provisioner, *, every: float) -> None:
        self.turned = time.monotonic()
        self._every = every
        self._host = host
        self._replica = _replica(remote)
        self._made: dict[str, DesiredNamespace] = {}
        self._troubles: dict[str, str] = {}  # by network
        self._seen: Any = None  # the state of the rows that was acted upon, or is about to be
        self._due: float | None = None
        self._replicating = ReplicaThread("ovnmeta", self._replica, self._turn)

    def start(self) -> None:
        """Begin."""
        self._replicating.start()

    def close(self) -> None:
        """End."""
        self._replicating.close()

    def _turn(self, poller: Any) -> None:
        self._look()
        self.turned = time.monotonic()
        poller.timer_wait(round(1000 * self._every))
        if self._due is not None:
            poller.timer_wait(max(0, round(1000 * (self._due - time.monotonic()))))

    def _look(self) -> None:
        """Whatever has changed, all is compared, as soon as nothing changes for a moment."""
        state = self._replica.settled()
        if state is None:
            self._due = None
            self._seen = None
            return
        now = time.monotonic()
        if state != self._seen:
            self._seen = state
            self._due = now + _SETTLED
        elif self._due is not None and now >= self._due:
            self._reconcile(desired_namespaces(self._replica.rows(self._host.chassis)))
            self._due = now + _AGAIN if self._troubles else None

    def _reconcile(self, needed: dict[str, DesiredNamespace]) -> None:
        present = self._host.present()
        for network in (present | self._made.keys() | self._troubles.keys()) - needed.keys():
            if self._try(network, None):
                self._made.pop(network, None)
        for network, namespace in needed.items():
            if network not in present or self._made.get(network) != namespace:
                self._made.pop(network, None)
                if self._try(network, namespace):
                    self._made[network] = namespace

    def _try(self, network: str, namespace: DesiredNamespace | None) -> bool:
        """Make it, or remove it; one that fails hurts no other, and is tried again."""
        if self._replicating.ended:
            return False
        self.turned = time.monotonic()
        try:
            if namespace is None:
                self._host.remove(network)
            else:
                self._host.make(namespace)
        except CommandFailed as error:
            if self._troubles.get(network) != str(error):
                LOG.warning("namespace not made or removed: ovnmeta-%s: %s", network, error)
            self._troubles[network] = str(error)
            return False
        self._troubles.pop(network, None)
        LOG.info(_REMOVED if namespace is None else _MADE, network)
        return True


def _replica(remote: str) -> Any:
    """The replica; its class is made here because the library comes with an extra."""
    from ovs.db import idl

    class Replica(idl.Idl):  # type: ignore[misc]
        """Of all ports of the cloud."""

        def settled(self) -> tuple[int, int] | None:
            """Which connection and which change of it this is; None: rows are still to come."""
            connection = session(self)
            return None if connection is None else (connection, self.change_seqno)

        def rows(self, chassis: str) -> Iterator[PortBinding]:
            """Of Neutron's networks, as that chassis sees them."""
            for each in self.tables["Port_Binding"].rows.values():
                row = _row(each, chassis)
                if row is not None:
                    yield row

    schema = idl.SchemaHelper(None, _SCHEMA)
    schema.register_all()
    return Replica(remote, schema, leader_only=False)


def _row(row: Any, chassis: str) -> PortBinding | None:
    """None: it is of no network of Neutron's, or has no MAC."""
    ids = row.external_ids
    name = row.datapath[0].external_ids.get("name", "") if row.datapath else ""
    port = port_of(row.logical_port, row.mac, ids, name)
    if port is None or place_of(PREFIX + port.network_id) is None:
        return None
    here = any(one.name == chassis for one in (*row.chassis, *row.additional_chassis))
    cidrs, mtu = (ids.get(f"neutron:{key}", "") for key in ("cidrs", "mtu"))
    return PortBinding(port, row.type, here, cidrs, mtu)
