"""The server as a process: ending, handing over, workers; nothing asked is lost."""

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from firstlight.httpd.limits import Limits
from support.parts import absent, need
from support.servers.databases import eventually, free_port

SERVICE = Path(__file__).with_name("service.py")
SOURCES = {"PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src")}
SOAK = bool(os.environ.get("FIRSTLIGHT_SOAK"))
ENOUGH = 3000 if SOAK else 150  # requests of each client
BODIES = 500 if SOAK else 100  # unfinished ones, of 1 MiB each
MIB = 1 << 20


class Service:
    """A running service.py; `root` is its master, to which signals go."""

    def __init__(self, home, workers, *, trouble="", wait=True, below=(), **environ):
        self.home = home
        self.port = free_port()
        self.log = home / "access.log"
        self.errors = home / "errors"
        self.trouble = home / "trouble"
        self.trouble.write_text(trouble)
        command = [*below, sys.executable, SERVICE, self.port, self.log, workers, self.trouble]
        with self.errors.open("wb") as errors:
            self.started = subprocess.Popen(
                list(map(str, command)), stderr=errors, env={**os.environ, **environ}
            )
        self.root = self.started.pid
        self.workers = workers
        if wait:
            up = eventually(lambda: self.started.poll() is not None or self.answers(), 30)
            assert up, self.errors.read_text()
            assert self.started.poll() is None, self.errors.read_text()

    def url(self, path):
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}{path}"

    def answers(self):
        try:
            return self.get("/") is not None
        except OSError:
            return False

    def get(self, path, keep=None):
        """The body that GET gets, on a connection of its own or on the one to keep."""
        client = keep or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        client.request("GET", path)
        answer = client.getresponse()
        assert answer.status == 200
        body = answer.read().decode()
        if keep is None:
            client.close()
        return body

    def pids(self):
        """The processes that answer."""
        return {int(self.get("/")) for _ in range(20)}

    def generation(self):
        """The process below the master: the one that serves, or looks after workers."""
        pid = self.pids().pop()
        return pid if self.workers == 1 else parent(pid)

    def hang_up(self):
        """SIGHUP; returns when other processes answer, the old ones gone."""
        before = self.pids()
        generation = self.generation()
        os.kill(self.root, signal.SIGHUP)
        # While the old ones end, both accept: only when they are gone is it sure who answers.
        assert eventually(lambda: gone(generation), 20), self.errors.read_text()
        assert not before & self.pids()
        assert parent(self.generation()) == self.root

    def end(self):
        """SIGTERM; returns when nobody is left."""
        self.started.terminate()
        try:
            assert self.started.wait(20) == 0
        except subprocess.TimeoutExpired:
            self.started.kill()  # the next test is not to meet it
            self.started.wait()
            raise


def parent(pid):
    """The process that started this one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def gone(pid):
    """Whether there is no such process, or only its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def children(pid):
    """The processes that this one has started."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@contextmanager
def inside(home, workers, *below):
    """A service that another program has started."""
    service = Service(home, workers, below=below)
    try:
        yield service
    finally:
        service.started.kill()
        service.started.wait()


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def service(request, tmp_path):
    started = Service(tmp_path, request.param)
    yield started
    started.end()


@contextmanager
def load(service, failures):
    """Clients that ask all the time, each request on a new connection or all on one."""
    stop = threading.Event()
    asked = [0]

    def ask(kept):
        keep = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10) if kept else None
        while not stop.is_set() or asked[0] < ENOUGH:
            try:
                service.get("/", keep)
                asked[0] += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                failures.append(error)
                return
        if keep:
            keep.close()

    clients = [threading.Thread(target=ask, args=(kept,)) for kept in (True, False, False)]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        stop.set()
        for client in clients:
            client.join()


def test_handing_over_under_load(service):
    """Two reloads while clients ask all the time: other processes, no failed request."""
    failures = []
    with load(service, failures):
        service.hang_up()
        service.hang_up()
    assert failures == []


@pytest.mark.parametrize("trouble", ["raise", "exit"])
def test_failed_handing_over(service, trouble):
    """If the new process cannot start, the old one goes on, and the log says why."""
    before = service.pids()
    service.trouble.write_text(trouble)
    failures = []
    with load(service, failures):
        os.kill(service.root, signal.SIGHUP)
        assert eventually(lambda: "does not serve" in service.errors.read_text(), 20)
    assert failures == []
    assert service.pids() & before
    service.trouble.write_text("")
    service.hang_up()  # mended, it works


def test_end_answers_what_was_asked(service):
    """SIGTERM: a slow answer under way arrives, new connections are refused, the exit code is 0."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert eventually(lambda: service.get("/") != "")
        os.kill(service.root, signal.SIGTERM)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.read() == b"slow"
        assert answer.getheader("Connection") == "close"
    assert service.started.wait(10) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", service.port), timeout=10)


def test_end_with_idle_connections(service):
    """A client that keeps a connection does not keep the server."""
    keep = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    service.get("/", keep)
    os.kill(service.root, signal.SIGINT)
    assert service.started.wait(10) == 0
    keep.close()


def test_everything_answered_is_logged(service):
    """The access log has a line for each answer, those before the end included."""
    for number in range(10):
        service.get(f"/{number}")
    service.end()
    lines = service.log.read_text()
    assert all(f'"GET /{number}" 200' in lines for number in range(10))


def test_dead_worker_is_replaced(tmp_path):
    """After kill -9 of a worker the other answers, and a new one takes the place."""
    service = Service(tmp_path, 2)
    try:
        workers = set()  # whoever is free answers: each time it may be the same one
        assert eventually(lambda: workers.update(service.pids()) or len(workers) == 2)
        first, second = sorted(workers)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: gone(first))
        assert eventually(lambda: len(service.pids() - {first, second}) == 1)
        assert "another starts in" in service.errors.read_text()
    finally:
        service.end()


@pytest.mark.parametrize("workers", [1, 2])
def test_all_end_with_their_master(tmp_path, workers):
    """After kill -9 of the master no process stays behind."""
    service = Service(tmp_path, workers)
    left = service.pids() | {service.generation()}
    os.kill(service.root, signal.SIGKILL)
    service.started.wait()
    assert eventually(lambda: all(map(gone, left)))


@pytest.mark.parametrize("workers", [1, 2])
def test_service_manager_is_told(tmp_path, workers):
    """systemd hears of readiness, of each reload, and of the end: all from the main process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        hear = lambda: manager.recv(1000).decode().split("\n")  # noqa: E731  said once, used below
        service = Service(tmp_path, workers, NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert hear() == ["READY=1"]
        for _ in range(2):  # the second one by a master that has executed itself
            service.hang_up()
            assert hear()[0] == "RELOADING=1"
            assert hear() == ["READY=1"]
        service.started.terminate()
        assert hear() == ["STOPPING=1"]
        service.end()


def test_hangs_up_at_once_and_again(service):
    """SIGHUPs during a reload, and while the master executes itself, come to one more reload; a
    SIGTERM in the midst of it all ends it."""
    for _ in range(30):
        os.kill(service.root, signal.SIGHUP)
        time.sleep(0.01)
    assert eventually(lambda: service.errors.read_text().count("has taken over") >= 2, 30)
    os.kill(service.root, signal.SIGHUP)
    service.end()


def test_a_crash_is_waited_for(tmp_path):
    """After kill -9 of the only process that serves, who connects is answered by the next one."""
    service = Service(tmp_path, 1)
    try:
        before = service.generation()
        os.kill(before, signal.SIGKILL)
        after = int(service.get("/"))
        assert after != before
        assert parent(after) == service.root
        assert f"process {before} was ended by signal 9" in service.errors.read_text()
    finally:
        service.end()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_hangs_is_replaced(tmp_path, workers):
    """The watchdog is told as long as every loop runs; one that does not is told where it hangs,
    and replaced, while systemd hears nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "6000000"}
        service = Service(tmp_path, workers, **variables)
        try:
            assert manager.recv(100) == b"READY=1"
            assert manager.recv(100) == b"WATCHDOG=1"
            hung = service.pids()
            for _ in range(workers):
                with pytest.raises(OSError), urlopen(service.url("/hang"), timeout=0.2):
                    pass
            assert eventually(lambda: not hung & service.pids(), 30), service.errors.read_text()
            said = service.errors.read_text()
            assert "gave no sign of life" in said
            assert "in answer" in said
            assert not gone(service.root)
        finally:
            service.end()


def test_an_end_does_not_wait_for_what_hangs(tmp_path):
    """Told to end while a worker's loop hangs, the service ends once that worker is known to."""
    service = Service(tmp_path, 2, WATCHDOG_USEC="6000000")
    try:
        with pytest.raises(OSError), urlopen(service.url("/hang"), timeout=0.2):
            pass
        os.kill(service.root, signal.SIGTERM)
        assert service.started.wait(12) == 0, service.errors.read_text()
        assert "gave no sign of life" in service.errors.read_text()
    finally:
        service.end()


def test_as_process_1(tmp_path):
    """In a process namespace of its own it is told to reload and to end, and buries orphans."""
    if os.geteuid() != 0:
        absent("process namespaces are made by root alone")
    with inside(tmp_path, 1, need("unshare"), "--pid", "--fork", "--kill-child") as service:
        (master,) = children(service.started.pid)
        orphan = "import os, time; os.fork() or (time.sleep(0.1), os._exit(7))"
        enter = [need("nsenter"), f"--target={master}", "--pid"]
        subprocess.run([*enter, sys.executable, "-c", orphan], check=True)
        os.kill(master, signal.SIGHUP)
        assert eventually(lambda: "has taken over" in service.errors.read_text(), 30)
        assert eventually(lambda: len(children(master)) == 1, 30)
        os.kill(master, signal.SIGTERM)
        assert service.started.wait(20) == 0


def test_under_an_init(tmp_path):
    """An init that ends with its only child goes on through a reload, and hands SIGTERM on."""
    init = """
import os, signal, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, lambda number, frame: child.send_signal(number))
sys.exit(child.wait())
"""
    with inside(tmp_path, 1, sys.executable, "-c", init) as service:
        for count in (1, 2):
            service.started.send_signal(signal.SIGHUP)
            assert eventually(
                lambda: service.errors.read_text().count("has taken over") == count,  # noqa: B023  asked before the loop goes on
                30,
            )
        assert service.started.poll() is None
        assert service.get("/")
        service.started.terminate()
        assert service.started.wait(20) == 0


def test_what_was_ignored_is_heard(tmp_path):
    """A parent that ignored signals, as nohup and some inits do, changes nothing."""
    ignoring = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""
    with inside(tmp_path, 2, sys.executable, "-c", ignoring) as service:
        service.hang_up()
        service.end()


def test_a_start_that_fails(tmp_path):
    """The first start's exit code is the command's, and nothing is tried again."""
    with pytest.raises(AssertionError, match="a bad configuration"):
        Service(tmp_path, 1, trouble="raise")
    assert Service(tmp_path, 1, trouble="exit", wait=False).started.wait(20) == 3


def test_the_master_is_small(tmp_path):
    """It occupies less than 12 MB, because it has imported nothing that a server needs."""
    service = Service(tmp_path, 1)
    try:
        rollup = Path(f"/proc/{service.root}/smaps_rollup").read_text()
        (line,) = [line for line in rollup.splitlines() if line.startswith("Pss:")]
        assert int(line.split()[1]) < 12 * 1024, rollup
    finally:
        service.end()
    script = """
import sys
from firstlight.cli import main
import firstlight.httpd.process.master
print(*{name.partition(".")[0] for name in sys.modules})
"""
    done = subprocess.run([sys.executable, "-SPc", script], env=SOURCES, capture_output=True)
    imported = set(done.stdout.decode().split())
    assert "firstlight" in imported, done.stderr
    heavy = {"argparse", "asyncio", "logging", "oslo_config", "socket", "subprocess", "typing"}
    assert not imported & (heavy | {"uvloop", "httptools", "msgspec"})


def test_activated_socket(tmp_path):
    """A socket that systemd has opened and named is used instead of one of ours."""
    script = f"""
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="front")
os.execv(sys.executable, [sys.executable, {str(SERVICE)!r}, "1", "-", "1", {str(tmp_path / "t")!r}])
"""
    (tmp_path / "t").write_text("")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        fd = listening.fileno()
        command = [sys.executable, "-c", script, str(fd)]
        started = subprocess.Popen(command, pass_fds=[fd], stderr=subprocess.DEVNULL)
        client = http.client.HTTPConnection(*listening.getsockname(), timeout=10)
        client.request("GET", "/")
        assert parent(int(client.getresponse().read())) == started.pid
        client.close()
        started.terminate()
        assert started.wait(10) == 0


def test_unfinished_bodies_are_not_all_kept(tmp_path):
    """However many bodies lack their last bytes, the process holds one budget of them."""
    service = Service(tmp_path, 1)
    pid = service.pids().pop()
    before = memory(pid, "VmRSS")
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % MIB
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            for _ in range(BODIES)
        ]
        for client in clients:
            with suppress(ConnectionError):  # refused, and no more is read
                client.sendall(head + b"x" * (MIB - 1))
        room = Limits().bodies // MIB
        assert eventually(lambda: len(answered(clients)) >= BODIES - room - 1, 15)
        held = memory(pid, "VmHWM") - before
        assert service.answers()
    service.end()
    assert room * MIB // 2 < held < room * MIB * 2  # and what the allocator has put by


def answered(clients):
    """Those that have something to read."""
    polled = select.poll()
    for client in clients:
        polled.register(client, select.POLLIN)
    return polled.poll(0)


def memory(pid, what):
    """Bytes that a process has (VmRSS), or had when it had most (VmHWM)."""
    lines = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(lines[what].removesuffix("kB")) * 1024
