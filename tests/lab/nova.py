"""Real Nova's metadata service under uWSGI, on loopback.

Its databases are SQLite files in a directory, or on a server.

No nova-api, conductor, scheduler or compute runs: the metadata service needs none of them. Neutron
is the stand-in of :mod:`lab.neutron`; its address is `neutron` here.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from configparser import RawConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.kinds.kind import Kind
from lab.uwsgi import HOST, Uwsgi, command, environment_of, run
from support.servers.databases import free_port

SECRET = "s3"
# Before Nova 33, eventlet replaces threads unless told not to, and under uWSGI's threads it hangs.
_ON_THREADS = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}


class Nova:
    """One set of Nova databases; any number of services, one after another, on them.

    `databases` is the URLs of ``api_database`` and ``database``, empty ones; without it they are
    SQLite files in `directory`. Other cells' databases are named after the first one's: ``_cell0``,
    ``_cell2`` behind it.
    """

    def __init__(
        self,
        environment: Path,
        directory: Path,
        *,
        neutron: str,
        databases: Mapping[str, str] | None = None,
    ) -> None:
        self._environment = environment
        self._directory = directory
        self._neutron = neutron
        self._databases = databases or {
            "api_database": f"sqlite:///{directory}/api.sqlite",
            "database": f"sqlite:///{directory}/cell1.sqlite",
        }

    def make_instances(self, kinds: Iterable[Kind], *, cells: int = 1) -> dict[str, Any]:
        """Databases and instances of these kinds; the network info Nova keeps of each, by name.

        The kinds are dealt out to so many `cells`.
        """
        table = [
            {"name": k.name, "instance": k.instance, "told": k.told, "cell": number % cells + 1}
            for number, k in enumerate(kinds)
        ]
        said = run(
            self._environment,
            self._directory,
            "python",
            "-P",  # else the modules beside the script hide Nova's own
            str(Path(__file__).with_name("inside_nova.py")),
            str(self.configure({})),
            said=json.dumps(table),
            variables=_ON_THREADS,
        )
        made: dict[str, Any] = json.loads(said.splitlines()[-1])
        return made

    @contextmanager
    def serving(
        self,
        api: Mapping[str, str],
        *,
        sections: Mapping[str, Mapping[str, str]] | None = None,
        **neutron: str,
    ) -> Iterator[int]:
        """Serve until the block ends; the port is handed out.

        Args:
            api: options of ``[api]``.
            sections: other sections.
            neutron: options of ``[neutron]`` that differ from a signed proxy with a secret.
        """
        port = free_port()
        self.configure(api, sections=sections, **neutron)
        # It answers there without identification, so that tells when it is up.
        url, variables = f"http://{HOST}:{port}/", self.variables()
        service = Uwsgi(
            self._environment, self._directory, self.command(port), url, variables=variables
        )
        try:
            service.start()
            yield port
        finally:
            service.stop()

    def command(self, port: int, *, threads: int = 4) -> list[str]:
        """uWSGI with one process of Nova's metadata service; :meth:`variables` go with it."""
        return command(self._environment, port, *self._application(), threads=threads)

    def _application(self) -> list[str]:
        if any(self._environment.glob("lib/python3*/site-packages/nova/wsgi/metadata.py")):
            return ["--module", "nova.wsgi.metadata:application"]
        return ["--wsgi-file", str(self._environment / "bin" / "nova-metadata-wsgi")]

    def variables(self) -> dict[str, str]:
        """The environment in which Nova reads what :meth:`configure` wrote."""
        return {
            **environment_of(self._environment),
            **_ON_THREADS,
            "OS_NOVA_CONFIG_DIR": str(self._directory),
        }

    def configure(
        self,
        api: Mapping[str, str],
        *,
        sections: Mapping[str, Mapping[str, str]] | None = None,
        **neutron: str,
    ) -> Path:
        """Write nova.conf; the file is handed back."""
        here = self._directory
        shutil.copy(self._environment / "etc" / "nova" / "api-paste.ini", here)
        config = RawConfigParser()
        config.read_dict(
            {
                "DEFAULT": {
                    "state_path": str(here),
                    "log_file": str(here / "nova.log"),
                    "transport_url": "fake:/",
                    "host": "lab",
                },
                "api": {"metadata_cache_expiration": "0", **api},
                **{section: {"connection": url} for section, url in self._databases.items()},
                "cache": {"enabled": "false"},
                "oslo_concurrency": {"lock_path": str(here)},
                "neutron": {
                    "service_metadata_proxy": "true",
                    "metadata_proxy_shared_secret": SECRET,
                    "auth_type": "none",
                    "endpoint_override": self._neutron,
                    **neutron,
                },
                **(sections or {}),
            }
        )
        path = here / "nova.conf"
        with path.open("w") as file:
            config.write(file)
        return path
