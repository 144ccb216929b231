"""A small cloud: real Keystone, real Neutron, and a nova.conf that points at them."""

import json
from collections.abc import Iterator, Sequence
from configparser import RawConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firstlight import conf
from firstlight.neutron import Neutron, open_neutron
from lab.keystone import REGION, Keystone
from lab.loaded import ask
from lab.nova import free_port
from lab.real_neutron import WITH_PROVIDERS, RealNeutron

_ASKER = Path(__file__).with_name("nova_asks_neutron.py")


class Cloud:
    """Keystone and Neutron; whoever made it ends it with :meth:`stop`."""

    def __init__(self, environment: Path, directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        for name in ("keystone", "neutron", "nova"):
            (directory / name).mkdir()
        self.keystone = Keystone(environment, directory / "keystone", free_port())
        self.neutron = RealNeutron(
            environment, directory / "neutron", free_port(), self.keystone, WITH_PROVIDERS
        )

    def create(self) -> None:
        """Databases, users, endpoints; then both serve."""
        self.keystone.create()
        self.neutron.create()

    def stop(self) -> None:
        """End both."""
        self.neutron.stop()
        self.keystone.stop()

    @contextmanager
    def short_tokens(self, seconds: int) -> Iterator[None]:
        """In the block, Keystone's new tokens are good for so long."""
        self.keystone.stop()
        try:
            self.keystone.start(expiration=seconds)
            yield
        finally:
            self.keystone.stop()
            self.keystone.start()

    def nova_conf(self, user: str = "admin", **neutron: str) -> Path:
        """A nova.conf as operators have them; options of ``[neutron]`` can be changed."""
        project = "admin" if user == "admin" else "service"
        options = {
            "service_metadata_proxy": "true",
            "metadata_proxy_shared_secret": "s3",
            "region_name": REGION,
            "ovs_bridge": "br-int",
            "default_floating_pool": "public",
            **self.keystone.credentials(user, project),
            **neutron,
        }
        config = RawConfigParser()
        here = self._directory / "nova"
        config.read_dict(
            {
                "DEFAULT": {"state_path": str(here), "log_file": str(here / "nova.log")},
                "neutron": options,
            }
        )
        path = here / "nova.conf"
        with path.open("w") as file:
            config.write(file)
        return path

    def ours(self, user: str = "admin", *, deadline: float = 20.0, **neutron: str) -> Neutron:
        """Our client, from the same file that Nova reads."""
        settings = conf.load("metadata", [str(self.nova_conf(user, **neutron))])
        settings.set_override("neutron_deadline", deadline, "firstlight")
        return open_neutron(settings)

    def novas(self, questions: Sequence[Sequence[str]], user: str = "admin") -> list[Any]:
        """What Nova's own code makes of each question; see :mod:`lab.nova_asks_neutron`."""
        said = ask(
            self._environment,
            self._directory,
            _ASKER,
            str(self.nova_conf(user)),
            said=json.dumps(questions),
        )
        answers: list[Any] = json.loads(said.splitlines()[-1])
        return answers
