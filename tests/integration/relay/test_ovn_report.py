"""Neutron learns from a real southbound database that a chassis' metadata agent is alive."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from firstlight.relay.ovn.heartbeat import ID, SEEN, ChassisHeartbeat, agent_id
from integration.relay.southbound_database import Southbound
from support.parts import need
from support.servers.databases import eventually, free_port

PATIENCE = 60
HOST = "compute-1"


class Chassis:
    """A chassis in a running southbound database, as ovn-controller and northd write them."""

    def __init__(self, database: Southbound, control: Path) -> None:
        self.database = database
        self.name = str(uuid4())
        self._control = control
        self._hosts = 0
        self.count(1)

    def appear(self, name: str = "", host: str = HOST) -> None:
        """A chassis of that host, with something of ovn-controller's in its row."""
        self._hosts += 1
        address = f"192.0.2.{self._hosts}"
        encap = {"type": "geneve", "ip": address, "chassis_name": name or self.name}
        row = {"name": name or self.name, "hostname": host, "encaps": ["named-uuid", "encap"]}
        ours = {"name": row["name"], "chassis": ["named-uuid", "chassis"]}
        ours["external_ids"] = ["map", [["somebody", "else's"]]]
        self.database.transact(
            {"op": "insert", "table": "Encap", "row": encap, "uuid-name": "encap"},
            {"op": "insert", "table": "Chassis", "row": row, "uuid-name": "chassis"},
            {"op": "insert", "table": "Chassis_Private", "row": ours},
        )

    def count(self, number: int) -> None:
        """Neutron counts, as northd has copied it."""
        row = {"nb_cfg": number}
        where: list[object] = []
        [done] = self.database.transact(
            {"op": "update", "table": "SB_Global", "where": where, "row": row}
        )
        if not done["count"]:
            self.database.transact({"op": "insert", "table": "SB_Global", "row": row})

    def listen_read_only(self) -> int:
        """A port of the database at which nothing can be written."""
        port = free_port()
        row = {"target": f"ptcp:{port}:127.0.0.1", "read_only": True}
        self.database.transact(
            {"op": "insert", "table": "Connection", "row": row, "uuid-name": "new"},
            {
                "op": "update",
                "table": "SB_Global",
                "where": [],
                "row": {"connections": ["named-uuid", "new"]},
            },
        )
        add = ["ovsdb-server/add-remote", "db:OVN_Southbound,SB_Global,connections"]
        command = [need("ovs-appctl"), "-t", self._control, *add]
        subprocess.run(command, check=True, capture_output=True)
        return port

    def ids(self) -> dict[str, str]:
        """Of its row in Chassis_Private."""
        where = [["name", "==", self.name]]
        [done] = self.database.transact(
            {
                "op": "select",
                "table": "Chassis_Private",
                "where": where,
                "columns": ["external_ids"],
            }
        )
        return dict(done["rows"][0]["external_ids"][1])

    def seen(self, number: int) -> bool:
        """Whether the agent says, before long, that it has seen that count."""
        return eventually(lambda: self.ids().get(SEEN) == str(number), PATIENCE)


@pytest.fixture
def chassis() -> Iterator[Chassis]:
    """One that is not there yet, in a database that runs."""
    with tempfile.TemporaryDirectory(prefix="firstlight-ovn-") as home:
        database = Southbound(Path(home), free_port())
        try:
            database.start()
            yield Chassis(database, Path(home, "sb.ctl"))
        finally:
            database.stop()


@contextmanager
def reporting(
    chassis: Chassis, delay: Callable[[], float] = lambda: 0.0, *, port: int = 0
) -> Iterator[ChassisHeartbeat]:
    remote = f"tcp:127.0.0.1:{port or chassis.database.port}"
    report = ChassisHeartbeat(remote, HOST, delay=delay)
    report.start()
    try:
        yield report
    finally:
        report.close()


def test_alive(chassis: Chassis) -> None:
    """The row gets the agent's id and each count of Neutron's, and keeps what others wrote."""
    chassis.appear()
    with reporting(chassis) as report:
        assert chassis.seen(1)
        assert chassis.ids() == {"somebody": "else's", ID: agent_id(chassis.name), SEEN: "1"}
        assert eventually(lambda: report.trouble() is None, PATIENCE)
        chassis.count(7)
        assert chassis.seen(7)


def test_not_at_once(chassis: Chassis) -> None:
    """The first answer is immediate; for the others it waits as long as it is told to, and then
    answers the newest count."""
    chassis.appear()
    asked: list[int] = []

    def delay() -> float:
        asked.append(1)
        return 0.2

    with reporting(chassis, delay):
        assert chassis.seen(1)
        assert not asked
        chassis.count(2)
        assert chassis.seen(2)
        assert asked == [1]


def test_restarted_controller(chassis: Chassis) -> None:
    """A row that ovn-controller makes anew is written again."""
    chassis.appear()
    with reporting(chassis):
        assert chassis.seen(1)
        for table in ("Chassis_Private", "Chassis"):
            chassis.database.transact({"op": "delete", "table": table, "where": []})
        chassis.appear()
        assert chassis.seen(1)
        assert ID in chassis.ids()


def test_which_chassis(chassis: Chassis) -> None:
    """Without a chassis of this hostname, or with two, nothing is written and the trouble says
    what to mend; as soon as there is one, it is written."""
    chassis.appear(str(uuid4()), "somewhere-else")
    with reporting(chassis) as report:
        assert eventually(lambda: "no chassis has" in str(report.trouble()), PATIENCE)
        assert HOST in str(report.trouble())
        chassis.appear()
        assert chassis.seen(1)
        chassis.appear(str(uuid4()))
        assert eventually(lambda: "2 chassis have" in str(report.trouble()), PATIENCE)


def test_away(chassis: Chassis) -> None:
    """Without the database it says so, and reports when it is there."""
    chassis.appear()
    chassis.database.stop()
    with reporting(chassis) as report:
        assert "not connected" in str(report.trouble())
        chassis.database.start()
        assert chassis.seen(1)
        assert eventually(lambda: report.trouble() is None, PATIENCE)


def test_refused(chassis: Chassis) -> None:
    """A connection that may not write is trouble that names the database."""
    chassis.appear()
    port = chassis.listen_read_only()
    with reporting(chassis, port=port) as report:
        assert eventually(lambda: "does not take the report" in str(report.trouble()), PATIENCE)
        assert str(port) in str(report.trouble())
        assert ID not in chassis.ids()


@pytest.mark.parametrize(
    ("chassis_name", "listed"),
    [
        ("dbae7469-50d0-41fd-b5b3-8b1de99052d1", "506549b6-b31f-52de-badc-062d9a940e79"),
        ("compute-1.example", "18e42062-8c6f-5850-ad0f-0a6607a8aa06"),
    ],
)
def test_id(chassis_name: str, listed: str) -> None:
    """The id is the one that neutron-ovn-metadata-agent 29.0.0 makes, whether or not the chassis'
    name is a UUID."""
    assert agent_id(chassis_name) == listed
