"""What every service of the cloud stands on: an environment, a directory, a database server, a
message bus and Keystone."""

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cloud.program import Program
from lab.keystone import REGION, Keystone
from lab.uwsgi import HOST, Uwsgi, command, environment_of
from support.servers.daemons import Daemon, a_rabbitmq
from support.servers.databases import Server, a_mariadb, free_port

Options = Mapping[str, str]
_AT_ONCE = 3  # jobs, most of which compute


@dataclass(frozen=True)
class Ground:
    """Handed to each service.

    Attributes:
        environment: with everything installed, see tools/dpm-env.
        directory: each service has one of its own in it.
        database: a server for all of them.
        bus: ``transport_url``.
        keystone: running.
    """

    environment: Path
    directory: Path
    database: Server
    bus: str
    keystone: Keystone

    def room(self, name: str) -> Path:
        """A directory for one service."""
        room = self.directory / name
        room.mkdir()
        return room

    def user(self, name: str, **more: str) -> Options:
        """keystoneauth's options for a service's user, such as ``[placement]`` takes them."""
        return self.keystone.credentials(name, "service", region_name=REGION, **more)

    def tokens(self) -> Options:
        """``[keystone_authtoken]``."""
        return self.keystone.credentials(
            "nova",
            "service",
            www_authenticate_uri=self.keystone.url,
            service_token_roles_required="true",
        )

    def program(
        self,
        room: Path,
        program: str,
        *arguments: str | Path,
        name: str = "",
        **variables: str,
    ) -> Program:
        """A command of the environment, not started."""
        words = [self.environment / "bin" / program, *arguments]
        variables = environment_of(self.environment) | variables
        return Program(words, room, name or program, variables=variables)

    def api(self, room: Path, port: int, module: str, *more: str, **variables: str) -> Uwsgi:
        """The `application` of that module under uWSGI, not started."""
        served = command(self.environment, port, "--module", f"{module}:application", *more)
        url = f"http://{HOST}:{port}"
        return Uwsgi(self.environment, room, served, url, variables=variables)


def lay(directory: Path, stack: ExitStack) -> tuple[Ground, Daemon]:
    """A ground that nothing stands on yet, and its message bus, until `stack` is closed; the
    environment is this interpreter's."""
    environment = Path(sys.prefix)
    (directory / "keystone").mkdir()
    keystone = Keystone(environment, directory / "keystone", free_port())
    stack.callback(keystone.stop)
    bus, database, _ = in_parallel(
        lambda: stack.enter_context(a_rabbitmq()),
        lambda: stack.enter_context(a_mariadb()),
        keystone.create,
    )
    url = f"rabbit://guest:guest@127.0.0.1:{bus.port}/"
    return Ground(environment, directory, database, url, keystone), bus


def in_parallel(*jobs: Callable[[], object]) -> list:
    """Do them; what each gave, in their order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
