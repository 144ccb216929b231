"""Real Nova's metadata service beside ours, on the same databases and from the same nova.conf."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from bench import setting
from bench.process import Server, free_port
from lab.environment import lab, nova_release
from lab.kinds.kind import Kind, address, identifier, interface, server
from lab.nova import Nova
from lab.on_mariadb import empty_databases
from support.servers.databases import a_mariadb, eventually

THREADS = 16  # of Nova's one process; more did not make it faster
TARGETS = ("one", "two", "three")  # dynamic vendordata


class Setting:
    """Databases with servers in them, and the two services that read them.

    Attributes:
        uuids: of the servers.
        told: what the figures were taken on, in a sentence.
    """

    def __init__(
        self, nova: Nova, neutron: str, directory: Path, uuids: list[str], told: str
    ) -> None:
        self._nova = nova
        self._neutron = neutron
        self._directory = directory
        self.uuids = uuids
        self.told = told

    def _configure(self, ttl: int, *, dynamic: bool) -> None:
        api = {"metadata_cache_expiration": str(ttl)}
        if dynamic:
            targets = (f"{name}@{self._neutron}/target/{name}" for name in TARGETS)
            api["vendordata_providers"] = "StaticJSON,DynamicJSON"
            api["vendordata_dynamic_targets"] = ",".join(targets)
        self._nova.configure(api)

    @contextmanager
    def nova(self, ttl: int, *, dynamic: bool = False) -> Iterator[Server]:
        """One process of Nova under uWSGI that remembers for `ttl` seconds; it logs requests.

        `dynamic`: it asks TARGETS.
        """
        self._configure(ttl, dynamic=dynamic)
        port = free_port()
        command = self._nova.command(port, threads=THREADS)
        yield from setting.running(
            Server(
                "nova",
                [word for word in command if word != "--disable-logging"],
                port,
                self._directory / "uwsgi.log",
                env=self._nova.variables(),
                directory=self._directory,
            )
        )

    @contextmanager
    def ours(self, ttl: int, *, dynamic: bool = False) -> Iterator[Server]:
        """One process of ours, the same way, once it is ready."""
        self._configure(ttl, dynamic=dynamic)
        port, status = free_port(), free_port()
        where = self._directory / "where.conf"
        where.write_text(
            f"[DEFAULT]\nmetadata_listen = 127.0.0.1\nmetadata_listen_port = {port}\n"
            f"[firstlight]\nstatus_port = {status}\n"
            f"access_log = {self._directory}/access.log\n"
        )
        files = [f"--config-file={self._directory / name}" for name in ("nova.conf", "where.conf")]
        command = [setting.BIN / "firstlight", "metadata", *files]
        log = self._directory / "ours.log"
        with contextmanager(setting.running)(Server("firstlight", command, port, log)) as service:
            assert eventually(lambda: _is_ready(status), 60), log.read_text()
            yield service


@contextmanager
def beside_nova(directory: Path, number: int) -> Iterator[Setting]:
    """Make the databases, on MariaDB if there is one, and `number` servers in them.

    Raises:
        NoLab: there is no environment with real Nova.
    """
    environment = lab()
    with ExitStack() as stack:
        databases = None
        if shutil.which("mariadbd"):
            databases = empty_databases(stack.enter_context(a_mariadb()), "nova")
        neutron = stack.enter_context(_neutron(directory))
        nova = Nova(environment, directory, neutron=neutron, databases=databases)
        kinds = [kind(each) for each in range(1, number + 1)]
        nova.make_instances(kinds)
        yield Setting(
            nova,
            neutron,
            directory,
            [kind.instance["uuid"] for kind in kinds],
            f"Nova {nova_release(environment)} under uWSGI, 1 process of {THREADS} threads; ours, "
            "1 process; both on the first core, each with an access log; on the other core the "
            f"load, {'MariaDB' if databases else 'SQLite'} and a stand-in for Neutron",
        )


def _is_ready(status: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{status}/readyz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def _neutron(directory: Path) -> Iterator[str]:
    port = free_port()
    with (directory / "neutron.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.neutron", str(port)], stdout=log, stderr=log
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def kind(number: int) -> Kind:
    """A server as they mostly are: a key, user data, metadata, one port with one subnet."""
    subnet = {
        "cidr": "10.0.0.0/16",
        "gateway": "10.0.0.1",
        "dns": ["10.0.0.2"],
        "enable_dhcp": True,
        "addresses": [address(f"10.0.{number // 250}.{number % 250 + 2}")],
    }
    port = interface(1, subnet)
    instance = server(
        number,
        name=f"bench {number}",
        hostname=f"bench-{number}",
        metadata={"role": "web", "tier": "front"},
        keypair={"name": "bench", "public_key": "ssh-rsa " + "A" * 372 + " bench@example.org"},
        user_data="I2Nsb3VkLWNvbmZpZ3h4" * 20,
        root_device_name="/dev/vda",
        reservation_id="r-bench",
        interfaces=[{**port, "port_id": identifier(number, 2)}],
    )
    return Kind(f"bench-{number}", instance)
