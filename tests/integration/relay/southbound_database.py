"""A real OVN southbound database, filled by its own client as ovn-northd and Neutron would."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from support.parts import absent, need
from support.servers.daemons import Daemon
from support.servers.databases import free_port

SCHEMAS = Path("/usr/share/ovn")


class Database(Daemon):
    """ovsdb-server on a port, with one of the databases of this machine's OVN.

    Args:
        half: ``sb`` or ``nb``.
    """

    def __init__(self, home: Path, port: int, half: str) -> None:
        schema = SCHEMAS / f"ovn-{half}.ovsschema"
        if not schema.exists():
            absent(f"{schema}: ovn-common is not installed")
        file = home / f"{half}.db"
        subprocess.run([need("ovsdb-tool"), "create", file, schema], check=True)
        self.remote = f"tcp:127.0.0.1:{port}"
        command = [
            need("ovsdb-server"),
            f"--remote=ptcp:{port}:127.0.0.1",
            f"--unixctl={home}/{half}.ctl",
            "--no-chdir",
            str(file),
        ]
        super().__init__(command, port, home / f"{half}.log")


class SouthboundRows:
    """Who writes into a southbound database: `remote` is how ovsdb-client names it."""

    def __init__(self, remote: str) -> None:
        self.remote = remote
        self._tunnel = 0

    def transact(self, *operations: dict) -> list[dict]:
        """Operations of RFC 7047, section 5.2, in one transaction; their results."""
        text = json.dumps(["OVN_Southbound", *operations])
        done = subprocess.run(
            [need("ovsdb-client"), "transact", self.remote, text],
            check=True,
            capture_output=True,
            text=True,
        )
        results = json.loads(done.stdout)
        assert not [result for result in results if "error" in result], results
        return results

    def chassis(self, name: str) -> list[str]:
        """A chassis' id."""
        encap = {"type": "geneve", "ip": "192.0.2.1", "chassis_name": name}
        results = self.transact(
            {"op": "insert", "table": "Encap", "row": encap, "uuid-name": "encap"},
            {
                "op": "insert",
                "table": "Chassis",
                "row": {"name": name, "hostname": name, "encaps": ["named-uuid", "encap"]},
            },
        )
        return results[1]["uuid"]

    def network(self, network_id: str) -> list[str]:
        """The id of the datapath of a Neutron network."""
        self._tunnel += 1
        row = {
            "tunnel_key": self._tunnel,
            "external_ids": ["map", [["name", f"neutron-{network_id}"], ["name2", "net"]]],
        }
        return self.transact({"op": "insert", "table": "Datapath_Binding", "row": row})[0]["uuid"]

    def bind(
        self,
        datapath: list[str],
        *mac: str,
        chassis: list[str] | None = None,
        device_id: str = "",
        device_owner: str = "compute:nova",
        project_id: str = "",
    ) -> str:
        """A port's name, which is its Neutron id."""
        self._tunnel += 1
        name = str(uuid4())
        ids = {
            "neutron:device_id": device_id,
            "neutron:device_owner": device_owner,
            "neutron:project_id": project_id,
        }
        row = {
            "logical_port": name,
            "tunnel_key": self._tunnel,
            "datapath": datapath,
            "mac": ["set", list(mac)],
            "chassis": chassis or ["set", []],
            "external_ids": ["map", [list(pair) for pair in ids.items() if pair[1]]],
        }
        self.transact({"op": "insert", "table": "Port_Binding", "row": row})
        return name

    def change(self, port: str, **columns: object) -> None:
        """Update a port's row."""
        where = [["logical_port", "==", port]]
        self.transact({"op": "update", "table": "Port_Binding", "where": where, "row": columns})

    def remove(self, port: str) -> None:
        """Delete a port's row."""
        where = [["logical_port", "==", port]]
        self.transact({"op": "delete", "table": "Port_Binding", "where": where})


class Southbound(SouthboundRows, Database):
    """The southbound one, and who writes into it."""

    def __init__(self, home: Path, port: int) -> None:
        Database.__init__(self, home, port, "sb")
        SouthboundRows.__init__(self, self.remote)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """In the block it serves at another port, where only a test finds it."""
        there = Southbound.__new__(Southbound)
        there.__dict__.update(self.__dict__)
        port = free_port()
        there.port, there.remote = port, f"tcp:127.0.0.1:{port}"
        there._command = [
            f"--remote=ptcp:{port}:127.0.0.1" if part.startswith("--remote") else part
            for part in self._command
        ]
        remote, self.remote = self.remote, there.remote
        there.start()
        try:
            yield
        finally:
            there.stop()
            self.remote = remote


class Northd(Daemon):
    """A real ovn-northd between a northbound database and a southbound one."""

    def __init__(self, home: Path, north: Database, south: Southbound) -> None:
        self._north, self._south = north, south
        control = home / "northd.ctl"
        command = [
            need("ovn-northd"),
            f"--ovnnb-db={north.remote}",
            f"--ovnsb-db={south.remote}",
            f"--unixctl={control}",
            "--no-chdir",
        ]
        super().__init__(command, 0, home / "northd.log", answers=lambda _port: control.exists())

    def nbctl(self, *arguments: str) -> None:
        """What Neutron's driver would write."""
        subprocess.run([need("ovn-nbctl"), f"--db={self._north.remote}", *arguments], check=True)

    def sbctl(self, *arguments: str) -> None:
        """What ovn-controller would write."""
        subprocess.run([need("ovn-sbctl"), f"--db={self._south.remote}", *arguments], check=True)
