"""The shipped units under a real systemd: what a guest asks is answered, whatever happens to us."""

import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from firstlight.sources.store import Store
from support.cloud.store_samples import interface, server
from support.guests.crowd import crowd
from support.relay.agent_thread import NETWORK
from support.servers.databases import eventually
from support.servers.systemd_host import ROOT, SystemdHost

PATIENCE = 90  # seconds for a process to start or end on a busy machine
UNIT = "firstlight-metadata"
STATE = "/var/lib/firstlight/store.sqlite"
LOOPBACK = "127.0.0.1"
SLOW = 9099
CODE = ROOT / "src" / "firstlight"

METADATA = f"""\
[DEFAULT]
metadata_listen = 169.254.169.254
metadata_listen_port = 80
metadata_workers = {{workers}}
[api]
vendordata_providers = DynamicJSON
vendordata_dynamic_targets = slow@http://{LOOPBACK}:{SLOW}/
[vendordata_target:slow]
ttl = 0
[store]
connection = sqlite:////var/lib/firstlight/store.sqlite
"""
# Answers two seconds after it was asked.
TARGET = f"""
import http.server, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print("asked", flush=True)
        time.sleep(2)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{{"answer": "at last"}}')
http.server.ThreadingHTTPServer(("{LOOPBACK}", {SLOW}), Slow).serve_forever()
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdHost]:
    """A machine with the units, and a store in which it is itself a server."""
    home = tmp_path_factory.mktemp("systemd")
    store = Store.open(f"sqlite:///{home}/store.sqlite")
    store.prepare()
    store.add(server(1, interfaces=(interface(LOOPBACK, "127.0.0.0/8", NETWORK),)))
    store.close()
    with SystemdHost(home) as booted:
        state = booted.root(STATE)
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_bytes((home / "store.sqlite").read_bytes())
        booted.run("systemd-run", "--unit=slow", sys.executable, "-c", TARGET)
        yield booted


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def service(host: SystemdHost, request: pytest.FixtureRequest) -> Iterator[SystemdHost]:
    """The metadata service, started as it is shipped."""
    host.write("/etc/firstlight/metadata.conf", METADATA.format(workers=request.param))
    host.systemctl("start", UNIT)
    try:
        yield host
    finally:
        host.systemctl("stop", UNIT)
        assert host.show(UNIT, "Result") == "success", host.journal()


def main(host: SystemdHost, unit: str = UNIT) -> tuple[int, int]:
    """The unit's main process, and how often systemd has started it again."""
    return int(host.show(unit, "MainPID")), int(host.show(unit, "NRestarts"))


def reloaded(host: SystemdHost, before: int) -> int:
    """Reload, and wait until another process serves and the one before has ended; its id."""
    host.systemctl("reload", UNIT)
    assert eventually(lambda: replaced(host, before), PATIENCE), host.journal()
    return host.worker(UNIT)


def replaced(host: SystemdHost, before: int, unit: str = UNIT) -> bool:
    """Whether one process serves, and it is another."""
    pid, _ = main(host, unit)
    below = [each for each, parent in host.processes(unit).items() if parent == pid]
    return len(below) == 1 and below != [before] and host.show(unit, "SubState") == "running"


def test_five_reloads(service: SystemdHost) -> None:
    """Guests that ask all the time are all answered; the main process stays the same one."""
    before, worker = main(service), service.worker(UNIT)
    with crowd(service, [LOOPBACK], "/openstack") as guests:
        for _ in range(5):
            worker = reloaded(service, worker)
            assert main(service) == before
        told = guests.answers()
    assert_all_answered(told[LOOPBACK], service)
    assert "not our child" not in service.journal()


def assert_all_answered(told: Counter[str], host: SystemdHost) -> None:
    """Every answer is the same, a list of versions."""
    (said,) = told
    assert said.startswith("200 2012-08-10"), said
    assert told[said] > 10, host.journal()


def test_stop_with_a_request_under_way(service: SystemdHost) -> None:
    """A guest that waits for its answer gets it, also after reloads; only then is the stop over."""
    reloaded(service, service.worker(UNIT))
    before = asked(service)
    with crowd(service, [LOOPBACK], "/openstack/latest/vendor_data2.json", times=1) as guest:
        assert eventually(lambda: asked(service) > before, PATIENCE)
        service.systemctl("stop", UNIT)
        (answer,) = guest.answers()[LOOPBACK]
    assert answer == '200 {"slow": {"answer": "at last"}}'
    assert service.show(UNIT, "Result") == "success"
    assert "SIGKILL" not in service.journal("--unit", UNIT)


def asked(host: SystemdHost) -> int:
    """How often the slow target was asked."""
    return host.journal("--unit=slow").count("asked")


def is_whole(host: SystemdHost, before: dict[int, int], gone: int) -> bool:
    """Whether there are as many processes as there were, without the one that is gone."""
    now = host.processes(UNIT)
    return gone not in now and len(now) == len(before)


def test_a_worker_is_killed(service: SystemdHost) -> None:
    """Another takes its place, and guests wait so long; what it had in hand alone is lost."""
    before = main(service)
    with crowd(service, [LOOPBACK], "/openstack") as guest:
        worker = service.worker(UNIT)
        processes = service.processes(UNIT)
        serving = next((pid for pid, parent in processes.items() if parent == worker), worker)
        service.run("kill", "-KILL", str(serving))
        assert eventually(lambda: is_whole(service, processes, serving), PATIENCE), log(service)
        assert eventually(lambda: service.run(*CURL).startswith("2012-08-10"), PATIENCE)
        told = guest.answers()[LOOPBACK]
    lost = [said for said in told.elements() if not said.startswith("200 2012-08-10")]
    assert len(lost) <= 1, told
    assert main(service) == before


CURL = (
    "curl",
    "-s",
    "--max-time",
    "30",
    "--interface",
    LOOPBACK,
    "http://169.254.169.254/openstack",
)
NEW_MASTER = "\nsay('INFO', 'this is new code')\n"
NO_GENERATION = "raise RuntimeError('half an upgrade')\n"
NO_MASTER = "\nif handoff.STATE in os.environ:\n    raise RuntimeError('half an upgrade')\n"


def test_upgrades_under_load(service: SystemdHost) -> None:
    """New code is executed by the main process too; code that fails changes nothing for guests,
    whether what serves cannot start or the main process could not."""
    before, worker = main(service), service.worker(UNIT)
    master, generation = CODE / "httpd/process/master.py", CODE / "httpd/process/generation.py"
    whole = generation.read_text()
    with crowd(service, [LOOPBACK], "/openstack") as guest:
        service.write(str(generation), NO_GENERATION + whole)
        service.systemctl("reload", UNIT)
        assert eventually(lambda: "goes on as it was configured" in log(service), PATIENCE)
        assert service.worker(UNIT) == worker

        service.write(str(generation), whole)
        service.write(str(master), master.read_text() + NO_MASTER)
        worker = reloaded(service, worker)
        assert eventually(lambda: "goes on with its old code" in log(service), PATIENCE)

        service.write(str(master), master.read_text() + NEW_MASTER)
        reloaded(service, worker)
        assert eventually(lambda: "this is new code" in log(service), PATIENCE)
        told = guest.answers()[LOOPBACK]
    service.write(str(master), master.read_text())
    lines = [line for line in log(service).splitlines() if "this is new code" in line]
    assert f" {before[0]} INFO " in lines[-1], lines
    assert main(service) == before
    assert_all_answered(told, service)


def log(host: SystemdHost) -> str:
    """What the service has logged since its last start."""
    return host.journal(f"_SYSTEMD_INVOCATION_ID={host.show(UNIT, 'InvocationID')}")


def test_what_hangs_is_replaced(host: SystemdHost) -> None:
    """A worker whose loop does not run is replaced by its master, a master by systemd."""
    host.write("/etc/firstlight/metadata.conf", METADATA.format(workers=1))
    drop_in = f"/etc/systemd/system/{UNIT}.service.d/watchdog.conf"
    host.write(drop_in, "[Service]\nWatchdogSec=8\n")
    host.systemctl("daemon-reload")
    host.systemctl("start", UNIT)
    before, worker = main(host), host.worker(UNIT)
    host.run("kill", "-STOP", str(worker))
    assert eventually(lambda: replaced(host, worker), PATIENCE), host.journal()
    assert "gave no sign of life" in log(host)
    assert main(host) == before
    assert host.run(*CURL).startswith("2012-08-10")

    host.run("kill", "-STOP", str(before[0]))
    assert eventually(lambda: main(host)[1] == 1, PATIENCE), host.journal()
    answered = lambda: host.run(*CURL, check=False).startswith("2012-08-10")  # noqa: E731  said once, used below
    assert eventually(answered, PATIENCE), host.journal()
    host.systemctl("stop", UNIT)
    host.run("rm", drop_in)
    host.systemctl("daemon-reload")


STORE = "[store]\nconnection = sqlite:////srv/store.sqlite\n"
AGENT = "[DEFAULT]\nstate_path = /var/lib/neutron\nmetadata_proxy_shared_secret = s3cret\n"
PROXY = "[relay]\nresolver = store\nstatus_socket = /var/lib/firstlight-relay/status\n"
FILES = {
    "vendordata": {
        "/etc/firstlight/vendordata.conf": "[DEFAULT]\nauth_strategy = noauth\n"
        "providers = static_map\n[provider:static_map]\nfile = /etc/firstlight/static_map.yaml\n",
        "/etc/firstlight/static_map.yaml": "- data: {site: test}\n",
    },
    "agent": {
        "/etc/neutron/neutron.conf": "[DEFAULT]\nstate_path = /var/lib/neutron\n",
        "/etc/neutron/metadata_agent.ini": f"{AGENT}[relay]\nresolver = store\n{STORE}",
    },
    "broker": {"/etc/firstlight/broker.conf": ""},
    "proxy": {
        "/etc/neutron/neutron.conf": "[DEFAULT]\nstate_path = /var/lib/firstlight-relay\n",
        "/etc/neutron/metadata_agent.ini": "[DEFAULT]\nmetadata_proxy_shared_secret = s3cret\n",
        "/etc/firstlight/proxy.conf": f"{PROXY}{STORE}",
    },
}


@pytest.mark.parametrize("name", FILES)
def test_every_service(host: SystemdHost, name: str) -> None:
    """Each unit starts as it is shipped, is reloaded twice, and stops without force."""
    for path, text in FILES[name].items():
        host.write(path, text)
    host.root("/srv/store.sqlite").write_bytes(host.root(STATE).read_bytes())
    host.run("chmod", "-R", "a+rwX", "/srv")
    host.root("/run/netns").mkdir(exist_ok=True)
    unit = f"firstlight-{name}"
    host.systemctl("start", unit)
    before, worker = main(host, unit), host.worker(unit)
    for _ in range(2):
        host.systemctl("reload", unit)
        assert eventually(lambda: replaced(host, worker, unit), PATIENCE), host.journal()  # noqa: B023  asked before the loop goes on
        worker = host.worker(unit)
        assert main(host, unit) == before
    host.systemctl("stop", unit)
    assert host.show(unit, "Result") == "success", host.journal()
    assert "SIGKILL" not in host.journal("--unit", unit)


def test_a_namespace_made_later_is_served(host: SystemdHost) -> None:
    """Broker and proxy, as they are shipped, see namespaces that agents make while they run."""
    for name in ("broker", "proxy"):
        for path, text in FILES[name].items():
            host.write(path, text)
    host.root("/srv/store.sqlite").write_bytes(host.root(STATE).read_bytes())
    host.run("chmod", "-R", "a+rwX", "/srv")
    host.root("/run/netns").mkdir(exist_ok=True)
    host.systemctl("start", "firstlight-broker", "firstlight-proxy")
    inside = ("ip", "netns", "exec", f"ovnmeta-{NETWORK}")
    host.run("ip", "netns", "add", inside[-1])
    host.run(*inside, "ip", "link", "set", "lo", "up")
    host.run(*inside, "ip", "address", "add", "169.254.169.254/32", "dev", "lo")
    try:
        curl = (*inside, "curl", "--silent", "--max-time", "5", "--write-out", "%{http_code}")
        answered = lambda: host.run(*curl, "http://169.254.169.254/", check=False)[-3:] > "199"  # noqa: E731  said once, used below
        assert eventually(answered, PATIENCE), host.journal()
    finally:
        host.systemctl("stop", "firstlight-proxy", "firstlight-broker")
        host.run("ip", "netns", "delete", inside[-1])
