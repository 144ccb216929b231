"""``firstlight ovnmeta`` as its unit is shipped: it makes namespaces that the whole host sees."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from integration.relay.southbound_database import SCHEMAS, SouthboundRows
from support.parts import absent, need
from support.servers.databases import eventually
from support.servers.systemd_host import SystemdHost

PATIENCE = 90  # seconds for a process to start or end on a busy machine
UNIT = "firstlight-ovnmeta"
SWITCH = "/run/openvswitch/db.sock"
SOUTHBOUND = "/run/ovn/southbound.sock"
CHASSIS = "here"


@pytest.fixture
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdHost]:
    """A machine with the units, a real Open vSwitch, and a southbound database."""
    schema = SCHEMAS / "ovn-sb.ovsschema"
    if not schema.exists():
        absent(f"{schema}: ovn-common is not installed")
    with SystemdHost(tmp_path_factory.mktemp("systemd")) as booted:
        booted.run("mkdir", "-p", "/run/openvswitch", "/run/ovn", "/run/netns", "/etc/openvswitch")
        switch = "/usr/share/openvswitch/vswitch.ovsschema"
        for file, made_by, remote in (
            ("/run/switch.db", switch, SWITCH),
            ("/run/southbound.db", schema, SOUTHBOUND),
        ):
            booted.run(need("ovsdb-tool"), "create", file, made_by)
            control = f"--unixctl={remote}.ctl"
            serve = [need("ovsdb-server"), file, f"--remote=punix:{remote}", control]
            booted.run(*serve, "--no-chdir", "--detach", f"--pidfile={remote}.pid")
        vsctl(booted, "--no-wait", "init")
        daemon = (need("ovs-vswitchd"), f"unix:{SWITCH}", "--unixctl=/run/openvswitch/vswitchd.ctl")
        booted.run(*daemon, "--no-chdir", "--detach", "--pidfile=/run/openvswitch/vswitchd.pid")
        vsctl(booted, "set", "Open_vSwitch", ".", f"external_ids:system-id={CHASSIS}")
        bridge = ("--", "set", "Bridge", "br-int", "datapath_type=netdev", "fail_mode=secure")
        vsctl(booted, "--may-exist", "add-br", "br-int", *bridge)
        yield booted


def vsctl(host: SystemdHost, *words: str) -> str:
    """What an operator tells the switch; its answer."""
    return host.run("ovs-vsctl", "--timeout=60", *words)


def test_a_network_comes_and_goes(host: SystemdHost) -> None:
    """A namespace is made, seen from outside the unit, kept through a reload, and taken away."""
    rows = SouthboundRows(f"unix:{host.root(SOUTHBOUND)}")
    here, network = rows.chassis(CHASSIS), str(uuid4())
    datapath = rows.network(network)
    port = rows.bind(datapath, "fa:16:3e:00:00:02 10.0.0.2")
    ids = [["neutron:device_id", f"ovnmeta-{network}"], ["neutron:cidrs", "10.0.0.2/24"]]
    rows.change(port, type="localport", external_ids=["map", ids])
    guest = rows.bind(datapath, "fa:16:3e:00:00:05 10.0.0.5", chassis=here)
    host.write(
        "/etc/neutron/neutron_ovn_metadata_agent.ini",
        f"[ovn]\novn_sb_connection = unix:{SOUTHBOUND}\n[ovs]\novsdb_connection = unix:{SWITCH}\n",
    )
    host.systemctl("start", UNIT)
    shown = ("ip", "netns", "exec", f"ovnmeta-{network}", "ip", "-4", "address")
    made = lambda: "169.254.169.254" in host.run(*shown, check=False)  # noqa: E731  short, and named
    assert eventually(made, PATIENCE), host.journal()
    assert f"tap{network[:10]}0" in vsctl(host, "list-ports", "br-int")

    host.systemctl("reload", UNIT)
    assert eventually(lambda: "has taken over" in host.journal("--unit", UNIT), PATIENCE)
    assert made()
    rows.remove(guest)
    gone = lambda: network not in host.run("ip", "netns", "list")  # noqa: E731  short, and named
    assert eventually(gone, PATIENCE), host.journal()
    host.systemctl("stop", UNIT)
    assert host.show(UNIT, "Result") == "success", host.journal()
