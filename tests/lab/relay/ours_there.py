"""Our broker, proxy and metadata service, as an operator runs them beside Neutron's agents."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firstlight.sources.store import Store
from lab.relay.node import Guest, Node
from support.cloud.store_samples import server
from support.parts import need
from support.relay.agent_process import FIRSTLIGHT, get, metadata_service

_NOBODY = "65534"
_BROKER = """\
[DEFAULT]
state_path = {home}
[relay]
broker_socket = {home}/broker.sock
proxy_user = nobody
"""
_PROXY = """\
[DEFAULT]
host = the-node
state_path = {home}/proxy
metadata_proxy_socket = {socket}
nova_metadata_host = 127.0.0.1
nova_metadata_port = {port}
metadata_proxy_shared_secret = s3cret
[relay]
broker_socket = {home}/broker.sock
access_log =
{more}
"""


class Relay:
    """Broker and proxy on a node, and a metadata service behind them.

    The broker has three privileges, the proxy none.

    `listens`: on a socket for other people's proxies, too; not where Neutron's agent does.
    """

    def __init__(self, node: Node, *files: Path, listens: bool = True) -> None:
        self._node = node
        self._listening = f"{node.home}/proxy/metadata_proxy" if listens else ""
        self._socket = node.home / "proxy" / "firstlight_status"
        self._files = files
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._port = 0  # of the metadata service, here and on the node
        self._store = ""

    @contextmanager
    def running(self) -> Iterator["Relay"]:
        """All three run; in the block they serve, as soon as there is something to serve."""
        with metadata_service(self._node.home) as (port, store, *_):
            self._port, self._store = port, store
            self._node.host.reach(port)
            self._start()
            yield self

    def know(self, guests: Iterable[Guest]) -> None:
        """Put these guests into the metadata service's store."""
        store = Store.open(self._store)
        for guest in guests:
            store.add(server(uuid=guest.uuid, project_id=guest.port["project_id"]))
        store.close()

    def _start(self) -> None:
        home = self._node.home
        directory = home / "proxy"
        directory.mkdir()
        directory.chmod(0o777)
        broker = self._node.write("broker.conf", _BROKER.format(home=home))
        few = "--bounding-set=-all,+sys_admin,+net_bind_service,+chown"
        self._run("broker", [broker], few)
        self._start_proxy("")

    def restart(self, more: str) -> None:
        """The proxy anew, with more in its section ``[relay]``."""
        self._node.kill(self._processes["proxy"])
        self._start_proxy(more)

    def _start_proxy(self, more: str) -> None:
        text = _PROXY.format(
            home=self._node.home, socket=self._listening, port=self._port, more=more
        )
        own = self._node.write("proxy.conf", text)
        user = (f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--bounding-set=-all")
        self._run("proxy", [*self._files, own], *user)

    def readiness(self) -> dict[str, Any]:
        """What /readyz says; empty as long as nobody answers."""
        try:
            _status, body = get(self._socket, "/readyz")
        except OSError:
            return {}
        said: dict[str, Any] = json.loads(body)
        return said

    def troubles(self) -> dict[str, str] | None:
        """What it finds wrong; None: it cannot be asked."""
        checks = self.readiness().get("checks")
        return checks and {name: said for name, said in checks.items() if said != "ok"}

    def check(self) -> subprocess.CompletedProcess[str]:
        """`firstlight check proxy` there, as root."""
        files = [*self._files, self._node.home / "proxy.conf"]
        return subprocess.run(
            self._node.host.command(*self._words("check", files), "proxy"),
            capture_output=True,
            text=True,
            check=False,
        )

    def _run(self, name: str, files: list[Path], *privileges: str) -> None:
        words = (need("setpriv"), *privileges, *self._words(name, files))
        log = self._node.home / f"{name}.log"
        self._processes[name] = self._node.host.start(*words, log=log)

    @staticmethod
    def _words(command: str, files: Iterable[Path]) -> list[str]:
        options = [f"--config-file={file}" for file in files]
        return [str(FIRSTLIGHT), command, *options]
