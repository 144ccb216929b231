"""A host of its own on which a deployment's files stand where the tool puts them.

It has addresses and names as the files say them, and behind them a MariaDB, a RabbitMQ, a
memcached, and a stand-in for Keystone and Neutron. /etc is a copy of this machine's without what is
OpenStack's; /var, and what is put below /usr/share and /usr/bin, is gone with the host.
"""

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deployments.deployment import Deployment, Service
from lab.asking import Client, Reply
from lab.environment import needed
from support.parts import absent, need
from support.servers.daemons import Daemon
from support.servers.own_host import OwnHost

JOURNAL = "journal"  # in the place of a log
HERE = Path(__file__).parent
ADDRESS, VIRTUAL = "10.0.0.11", "10.0.0.250"
PATIENCE = 120  # seconds for a service to come up on a busy machine
_JOURNAL = Path("/usr/lib/python3/dist-packages/systemd")
DEBIAN_PYTHON = Path("/usr/bin/python3")
_USERS = {"nova": 42436, "neutron": 42435}  # as kolla numbers them
_ANYWHERE = ("0.0.0.0", "[::]")
_OURS_AND_THEIRS = (
    *("nova", "neutron", "keystone", "openstack", "firstlight", "uwsgi", "httpd", "apache2"),
    *("my.cnf", "my.cnf.d", "mysql"),
)
_PREPARE = """
farm() {  # a folder that can be added to, and shows what this machine has there
    mkdir -p "/run/own$1" "/run/was$1"
    mount --bind "$1" "/run/was$1"
    find "/run/was$1" -mindepth 1 -maxdepth 1 -exec ln -s -t "/run/own$1" {} +
    mount --bind "/run/own$1" "$1"
}
mkdir -p /run/own
cp -a /etc /run/own/etc
cd /run/own/etc
rm -rf GONE
mount --bind /run/own/etc /etc
farm /usr/share
farm /usr/bin
mount -t tmpfs tmpfs /var
mkdir -p /var/tmp /var/lib /var/log
ln -s /run /var/run
ln -s /run/lock /var/lock
farm /opt
ip addr add ADDRESS/24 dev lo
ip addr add VIRTUAL/24 dev lo
chmod 1777 /run/lock
mount -t tmpfs tmpfs /dev/shm  # the queue manager counts there, and its files stay
mkdir -p /run/bindings /run/systemd/journal
ln -s /usr/lib/python3/dist-packages/systemd /run/bindings/systemd
"""


@dataclass(frozen=True)
class Side:
    """Whose programs are run: real OpenStack's, or ours.

    Attributes:
        environment: the virtual environment they are in.
        application: the WSGI application.
        words: command → the words that take its place.
        variables: more of its environment.
    """

    environment: Path
    application: str
    words: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where its programs are looked for."""
        return f"{self.environment / 'bin'}:{os.defpath}:/usr/sbin:/sbin"


def nova(environment: Path) -> Side:
    """Real Nova and Neutron, with Debian's bindings of systemd, which use_journal asks for."""
    variables = {"PYTHONPATH": "/run/bindings"} if _JOURNAL.exists() else {}
    return Side(environment, "nova.wsgi.metadata:application", {}, variables)


def ours() -> Side:
    """This project, in the place of each."""
    return Side(
        Path(sys.prefix),
        "firstlight.metadata.wsgi:application",
        {
            "nova-api-metadata": "firstlight metadata",
            "neutron-metadata-agent": "firstlight agent",
        },
    )


class Machine:
    """The host; ends with its block."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stack = ExitStack()
        self._closed: dict[Path, list[Path]] = {}
        self.host = OwnHost(home)
        self.journal: list[bytes] = []  # what came to systemd's since the files were put
        self.memcached: Daemon | None = None  # the one behind its addresses, if there is one

    def __enter__(self) -> "Machine":
        self._stack.enter_context(self.host)
        try:
            self._prepare()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _prepare(self) -> None:
        script = _PREPARE.replace("GONE", " ".join(_OURS_AND_THEIRS))
        script = script.replace("ADDRESS", ADDRESS).replace("VIRTUAL", VIRTUAL)
        self.host.run("sh", "-ec", script)
        for user, number in _USERS.items():
            line = f"{user}:x:{number}:{number}::/var/lib/{user}:/bin/sh\n"
            with self.host.file("/etc/passwd").open("a") as file:
                file.write(line)
            with self.host.file("/etc/group").open("a") as file:
                file.write(f"{user}:x:{number}:\n")
        self._stack.callback(self._keep_a_journal().close)
        self._open(needed(), Path(sys.prefix), Path(sys.base_prefix), HERE.parents[1])
        with self.host.file("/etc/hosts").open("a") as file:
            file.write(f"\n{VIRTUAL} internal.example.org\n{ADDRESS} controller-0.example.org\n")

    def _keep_a_journal(self) -> socket.socket:
        """Listen where systemd's journal does."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        place = self.host.file("/run/systemd/journal/socket")
        listening.bind(str(place))
        place.chmod(0o666)

        def keep() -> None:
            with suppress(OSError):
                while entry := listening.recv(1 << 20):
                    self.journal.append(entry)

        threading.Thread(target=keep, daemon=True).start()
        return listening

    def _open(self, *needed: Path) -> None:
        """Services run as users of their own, so these folders can be reached by every user.

        A home folder on the way is closed to them; in its place there is a folder of this host's
        own in which these alone are to be seen.
        """
        for path in dict.fromkeys(each.resolve() for each in needed):
            for parent in reversed(path.parents):
                if not parent.stat().st_mode & stat.S_IXOTH:
                    self._closed.setdefault(parent, []).append(path)
                    break
        for parent, paths in self._closed.items():
            for path in paths:
                self.host.run("mkdir", "-p", f"/run/open{path}")
                self.host.run("mount", "--bind", path, f"/run/open{path}")
            self.host.run("mount", "--rbind", f"/run/open{parent}", parent)

    def put(self, deployment: Deployment, side: Side, environment: Path) -> None:
        """The deployment's files, and no other's; `environment` is what mod_wsgi is told."""
        self._clear()
        self.journal.clear()
        self._forget()
        words = {"@application@": side.application, "@environment@": str(environment)}
        for source in deployment.root.rglob("*"):
            if source.is_file():
                self._write("/" + str(source.relative_to(deployment.root)), source, words)
        for source in deployment.config.glob("*"):
            self._write(f"/var/lib/kolla/config_files/{source.name}", source, words)
        if deployment.nova_release:
            self.add(
                "/etc/nova/nova.conf",
                self.host.file("/etc/nova/nova.conf").read_text()
                + f"[firstlight]\nnova_release = {deployment.nova_release}\n",
            )
        for directory in (*deployment.directories, "/etc/nova"):
            place = self.host.file(directory)
            place.mkdir(parents=True, exist_ok=True)
            user = next((user for user in _USERS if user in directory), "")
            if user and not directory.startswith("/etc/"):
                os.chown(place, _USERS[user], _USERS[user])

    def _forget(self) -> None:
        """Nova keeps what it made of a server in memcached for 15 s, whatever files came since."""
        if self.memcached is not None:  # flush_all would leave what came in the same second
            self.memcached.stop()
            self.memcached.start()

    def add(self, path: str, text: str) -> None:
        """One more file."""
        place = self.host.file(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def _write(self, path: str, source: Path, words: Mapping[str, str]) -> None:
        text = source.read_text()
        for word, ours in words.items():
            text = text.replace(word, ours)
        self.add(path, text)

    def _clear(self) -> None:
        gone = " ".join(f"/etc/{each}" for each in _OURS_AND_THEIRS)
        gone += " /var/lib/* /var/log/* /usr/share/nova /usr/share/neutron /opt/stack"
        gone += " /usr/bin/nova-metadata-wsgi /var/www /run/uwsgi /run/httpd /run/apache2"
        gone += " /dev/shm/* /run/lock/nova /run/lock/neutron /run/nova /run/neutron"
        self.host.run("sh", "-c", f"rm -rf {gone}")

    def listening(self) -> set[str]:
        """The TCP addresses that are listened on; both families' any-address is ``[::]``."""
        lines = self.host.run(need("ss"), "-ltnH").splitlines()
        return {line.split()[3].replace("*:", "[::]:") for line in lines}

    def listens(self, address: str) -> bool:
        """Whether this address is among them."""
        anywhere = [address.replace("*", each) for each in _ANYWHERE]
        return not self.listening().isdisjoint(anywhere)

    def ask(self, address: str, path: str, headers: Mapping[str, str]) -> Reply:
        """One request on a connection of its own."""
        name, _, port = address.rpartition(":")
        name = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "[::]": "::1"}.get(name, name)
        with (
            self.host.connect((name, int(port))) as connection,
            Client(int(port), over=connection) as client,
        ):
            return client.ask(path, headers.items())


class Started:
    """One service of a deployment on a machine, from its start to its end."""

    def __init__(self, machine: Machine, log: Path) -> None:
        self._machine = machine
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, service: Service, side: Side) -> None:
        """Run what the tool runs, with this side's programs."""
        environ = {
            "PATH": side.path,
            "HOME": f"/var/lib/{service.user}" if service.user else "/root",
            "LC_ALL": "C.UTF-8",
            "UWSGI_VIRTUALENV": str(side.environment),
            "NOVA_COMMAND": service.start,
            **side.variables,
        }
        self._process = self._machine.host.start(
            *as_user(service.user), *self._words(service, side), log=self._log, environ=environ
        )

    def _words(self, service: Service, side: Side) -> list[str | Path]:
        if service.kolla:
            here = self._machine.host.file("/var/lib/kolla/config_files")
            text = (here / service.kolla).read_text()
            for theirs, ours in side.words.items():
                text = text.replace(theirs + " --", ours + " --")
            (here / "config.json").write_text(text)
            return [side.environment / "bin" / "python", HERE / "kolla_start.py"]
        command, *arguments = service.start.split()
        if command == "nova-api-metadata" and command not in side.words:
            return _old_command(service)
        return [*side.words.get(command, command).split(), *arguments]

    def stop(self) -> None:
        """End it, with all that came from it."""
        process, self._process = self._process, None
        if process is not None:
            self._machine.host.kill(process)

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    @property
    def output(self) -> str:
        """What it wrote to standard output and standard error."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def log(self, place: str) -> str:
        """Its log: the file, all files of the folder, the journal, or its output."""
        if place == JOURNAL:
            return b"\n".join(self._machine.journal).decode(errors="replace")
        if not place:
            return self.output
        path = self._machine.host.file(place)
        files: Iterable[Path] = sorted(path.glob("*")) if path.is_dir() else [path]
        return "".join(each.read_text(errors="replace") for each in files if each.is_file())


def as_user(user: str) -> list[str]:
    """What runs the rest of a command as a user of the machine's; as root without one."""
    ids = (f"--reuid={_USERS[user]}", f"--regid={_USERS[user]}") if user else ()
    return [need("setpriv"), *ids, "--clear-groups"] if user else []


def _old_command(service: Service) -> list[str | Path]:
    """Nova 34 has no such command any more; uWSGI listens where the old one did."""
    return [
        "uwsgi",
        *("--http-socket", service.listens[0]),
        *("--wsgi-file", HERE / "nova_command.py"),
        *("--add-header", "Connection: close"),
        *("--enable-threads", "--die-on-term", "--master", "--lazy-apps"),
    ]


def made_by_debian(machine: Machine, environment: Path) -> Path:
    """An environment of Debian's own python3, for mod_wsgi, with what `environment` has in it."""
    if not DEBIAN_PYTHON.exists():
        absent("Debian's python3 is not there")
    made = Path("/run", f"debian-{environment.name.lstrip('.')}")
    machine.host.run(DEBIAN_PYTHON, "-m", "venv", "--without-pip", made)
    [packages] = environment.glob("lib/python3*/site-packages")
    folder = f"{made}/lib/{packages.parent.name}/site-packages"
    if not machine.host.file(folder).exists():
        absent(f"Debian's python3 is not {packages.parent.name}, for which the environment is")
    machine.add(f"{folder}/all.pth", f"import site; site.addsitedir({str(packages)!r})\n")
    return made
