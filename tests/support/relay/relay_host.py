"""A host with namespaces of Neutron's, our broker, our proxy, and an agent that says who asked."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from firstlight.httpd.protocol.messages import Response
from firstlight.httpd.sockets.listening import Unix
from firstlight.sources.store import Store
from support.parts import absent, need
from support.relay.agent_process import alive, serving
from support.relay.namespaces import Networks
from support.servers.databases import eventually
from support.servers.http_server import Serving
from support.servers.own_host import family

PATIENCE = 60  # seconds for a process to come up on a busy machine
NOBODY = 65534
# What the broker needs; root has no other privilege in these tests.
_BROKERS = "-all,+sys_admin,+net_bind_service,+chown"


class Process:
    """One of our commands, with few privileges, which a test may end and start again."""

    def __init__(self, command: str, config: Path, log: Path, *privileges: str) -> None:
        self.log = log
        self._command = [
            *(need("setpriv"), *privileges),
            *(sys.executable, "-m", "firstlight.cli", command, "--config-file", str(config)),
        ]
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it; it is up some time later."""
        program = "import sys; from firstlight.cli import main; sys.exit(main())"
        *before, _, _, command, option, config = self._command
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, "-c", program, command, option, config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, or kill it and what it has started as systemd would; wait until all have gone."""
        if self.process is None:
            return
        below = self.pids if number == signal.SIGKILL else [self.process.pid]
        process, self.process = self.process, None
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        process.wait(PATIENCE)
        assert eventually(lambda: not any(map(alive, below)), PATIENCE)

    def begin_reload(self) -> None:
        """Have another process serve; the one before may be busy still."""
        said = len(self.log.read_text())
        self._before = self.pid
        self.hang_up()
        assert eventually(lambda: "has taken over" in self.log.read_text()[said:], PATIENCE), (
            self.log.read_text()[said:]
        )

    def hang_up(self) -> None:
        """SIGHUP."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def reloaded(self) -> bool:
        """Whether the one before has ended."""
        return not alive(self._before)

    @property
    def pid(self) -> int:
        """Of the one that serves."""
        assert self.process is not None
        return serving(self.process.pid, self.log)

    @property
    def pids(self) -> list[int]:
        """Of its master and of what that has started."""
        assert self.process is not None
        return family(self.process.pid)


class RelayHost:
    """Everything, in a directory of its own that the proxy's user may enter."""

    store: Store  # of the metadata service that the host is made for, where one is

    def __init__(self, user: int = NOBODY, more: str = "", **options: object) -> None:
        if os.geteuid() != 0:
            absent("network namespaces are made by root alone")
        self._user = user
        self._more = more  # of the configuration
        self._options = options
        self._stack = ExitStack()
        self.asked: list[dict[str, str]] = []  # the headers of what came to the agent
        self.held: Future[Response] = Future()  # the answer to who asks for /held,
        self.held_by = 0  # and how many do

    def __enter__(self) -> "RelayHost":
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _begin(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="firstlight-relay-"))
        self._stack.callback(shutil.rmtree, self.home, ignore_errors=True)
        self.home.chmod(0o755)
        self.directory = self.home / "netns"
        self.directory.mkdir()
        self.state = self.home / "state"
        self.state.mkdir()
        os.chown(self.state, self._user, self._user)
        self.networks = Networks(self.directory)
        self._stack.callback(self.networks.remove)
        socket = Unix(str(self.home / "agent"), 0o666)
        self._stack.enter_context(Serving(self._agent, address=socket))
        config = self._configure()
        self.broker = Process(
            "broker", config, self.home / "broker.log", f"--bounding-set={_BROKERS}"
        )
        user = (f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups")
        self.proxy = Process("proxy", config, self.home / "proxy.log", *user, "--bounding-set=-all")
        for each in (self.broker, self.proxy):
            self._stack.callback(each.end, signal.SIGKILL)
            each.start()
        if not eventually(self.level, PATIENCE):
            pytest.fail(self.logs())

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def ready(self) -> dict:
        """What /readyz of the proxy says; empty if nobody answers."""
        return json.loads(self._status("readyz") or "{}")

    def metrics(self) -> str:
        """What a scrape of the proxy says."""
        return self._status("metrics")

    def level(self) -> bool:
        """Whether the proxy is up and has been told everything."""
        return self.ready().get("checks", {}).get("broker") == "ok"

    def logs(self) -> str:
        """What both processes have written."""
        logs = (self.broker.log, self.proxy.log)
        return "\n".join(log.read_text()[-3000:] for log in logs if log.exists())

    def _status(self, page: str) -> str:
        command = [need("curl"), "-s", "--max-time", "10", "--unix-socket"]
        done = subprocess.run(
            [*command, self.state / "status", f"http://x/{page}"], text=True, capture_output=True
        )
        return done.stdout

    def _configure(self) -> Path:
        options = {
            "broker_socket": self.home / "broker.sock",
            "status_socket": self.state / "status",
            "netns_directory": self.directory,
            "proxy_user": pwd.getpwuid(self._user).pw_name,
            "agent_socket": self.home / "agent",
            "access_log": self.state / "access.log",
            **self._options,
        }
        own = "\n".join(f"{name} = {value}" for name, value in options.items())
        path = self.home / "relay.conf"
        path.write_text(f"[DEFAULT]\nstate_path = {self.state}\n{self._more}\n[relay]\n{own}\n")
        return path

    def _agent(self, request):
        if request.target == "/held":
            self.held_by += 1
            return self.held
        headers = {name.decode(): value.decode() for name, value in request.headers.items()}
        self.asked.append(headers)
        place = next(
            (
                f"{n} {v}"
                for n, v in headers.items()
                if n.startswith("x-") and n.endswith(("network-id", "router-id"))
            ),
            "",
        )
        return Response(200, f"{place} {headers.get('x-forwarded-for')}".encode())
