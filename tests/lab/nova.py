"""Real Nova's metadata service under uWSGI, on loopback.

Its databases are SQLite files in a directory, or on a server.

No nova-api, conductor, scheduler or compute runs: the metadata service needs none of them. Neutron
is the stand-in of :mod:`lab.neutron`; its address is `neutron` here.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from configparser import RawConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from lab.kinds.kind import Kind
from servers import free_port

SECRET = "s3"
HOST = "127.0.0.1"
START_DEADLINE = 60.0  # seconds; a cold import of Nova takes about five
# Before Nova 33, eventlet replaces threads unless told not to, and under uWSGI's threads it hangs.
_ON_THREADS = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}


class NovaFailed(Exception):
    """Nova did not do what was asked; the message holds the end of its log."""


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
        done = subprocess.run(
            [
                self._environment / "bin" / "python",
                "-P",  # else the modules beside the script hide Nova's own
                Path(__file__).with_name("inside_nova.py"),
                self.configure({}),
            ],
            env=os.environ | _ON_THREADS,
            input=json.dumps(table),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NovaFailed(f"no instances were made: {done.stderr[-3000:]}")
        made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
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
        port, log = free_port(), self._directory / "uwsgi.log"
        self.configure(api, sections=sections, **neutron)
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(port),
                env=self.variables(),
                cwd=self._directory,  # else the modules beside a caller hide Nova's own
                stdout=output,
                stderr=output,
            )
        try:
            _await_answer(process, port, log)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)

    def command(self, port: int, *, threads: int = 4) -> list[str]:
        """uWSGI with one process of Nova's metadata service; :meth:`variables` go with it."""
        return [
            str(self._environment / "bin" / "uwsgi"),
            # With kept connections, what Nova leaves unanswered would take four seconds to tell.
            *("--http-socket", f"{HOST}:{port}"),
            *("--add-header", "Connection: close"),
            *self._application(),
            *("--threads", str(threads)),
            *("--buffer-size", "65535"),
            "--die-on-term",
            "--need-app",
            "--disable-logging",
        ]

    def _application(self) -> list[str]:
        if any(self._environment.glob("lib/python3*/site-packages/nova/wsgi/metadata.py")):
            return ["--module", "nova.wsgi.metadata:application"]
        return ["--wsgi-file", str(self._environment / "bin" / "nova-metadata-wsgi")]

    def variables(self) -> dict[str, str]:
        """The environment in which Nova reads what :meth:`configure` wrote."""
        return {
            **_ON_THREADS,
            "PATH": f"{self._environment / 'bin'}:{os.defpath}",
            "VIRTUAL_ENV": str(self._environment),
            "UWSGI_VIRTUALENV": str(self._environment),
            "LC_ALL": "C.UTF-8",
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


def _await_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """``GET /`` is answered without identification, so it tells when Nova is up."""
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://{HOST}:{port}/", timeout=START_DEADLINE):
                return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise NovaFailed(f"uWSGI does not serve Nova: {log.read_text()[-3000:]}")
