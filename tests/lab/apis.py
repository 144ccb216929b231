"""Real Nova's compute API, Glance and Cinder under uWSGI, on loopback, with SQLite in a directory.

None of them does any work: they show what their databases hold, to whoever Keystone says may see
it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from configparser import RawConfigParser
from pathlib import Path

import requests

from lab.keystone import Keystone
from lab.nova import HOST

REGION = "lab"
START_DEADLINE = 90.0  # seconds; a cold import takes about ten


class ApiFailed(Exception):
    """A service did not do what was asked; the message holds the end of its log."""


class Api:
    """One service that can be stopped and started again.

    Args:
        environment: the lab, see :func:`lab.environment.lab`.
        directory: for everything it writes.
        port: a free one.
        module: its WSGI application.
        variables: of its environment, how it finds its configuration.
        arguments: of its command line.
    """

    def __init__(
        self,
        environment: Path,
        directory: Path,
        port: int,
        *,
        module: str,
        variables: Mapping[str, str],
        arguments: str = "",
    ) -> None:
        self._environment = environment
        self._directory = directory
        self._module = module
        self._port = port
        self._arguments = arguments
        self._variables = environment_of(environment) | variables
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{HOST}:{port}"

    def start(self) -> None:
        """Serve; returns when it answers."""
        with (self._directory / "uwsgi.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._uwsgi(), env=self._variables, cwd=self._directory, stdout=log, stderr=log
            )
        until = time.monotonic() + START_DEADLINE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                requests.get(self.url, timeout=START_DEADLINE)
            except requests.ConnectionError:
                time.sleep(0.1)
            else:
                return
        log_text = (self._directory / "uwsgi.log").read_text()
        raise ApiFailed(f"{self._module} does not answer: {log_text[-3000:]}")

    def stop(self) -> None:
        """Serve no more. Stopping twice does no harm."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _uwsgi(self) -> list[str]:
        arguments = [f"--pyargv={self._arguments}"] if self._arguments else []
        return [
            str(self._environment / "bin" / "uwsgi"),
            # It keeps no connection; unless it says so, clients that reuse one see resets.
            *("--http-socket", f"{HOST}:{self._port}"),
            *("--add-header", "Connection: close"),
            *("--module", self._module),
            *("--threads", "4"),
            *("--buffer-size", "65535"),
            *arguments,
            "--enable-threads",
            "--die-on-term",
            "--need-app",
            "--disable-logging",
        ]


def nova_api(environment: Path, nova_conf: Path, port: int, keystone: Keystone) -> Api:
    """The compute API on the databases of `nova_conf`."""
    directory = nova_conf.parent / "api"
    directory.mkdir()
    config = RawConfigParser()
    config.read(nova_conf)
    config.read_dict({"keystone_authtoken": keystone.credentials("nova", "service")})
    path = _write(config, directory / "nova.conf")
    paste = environment / "etc" / "nova" / "api-paste.ini"
    return Api(
        environment,
        directory,
        port,
        module="nova.wsgi.osapi_compute:application",
        variables={
            "OS_NOVA_CONFIG_DIR": str(directory),
            "OS_NOVA_CONFIG_FILES": f"{paste};{path}",  # the first is taken for the paste file
        },
    )


def glance_api(environment: Path, directory: Path, port: int, keystone: Keystone) -> Api:
    """Glance with an empty database and a store of files."""
    store = directory / "store"
    config = RawConfigParser()
    config.read_dict(
        {
            "DEFAULT": {
                "log_file": f"{directory}/glance.log",
                "enabled_backends": "disk:file",
                "node_staging_uri": f"file://{directory}/staging",
                "worker_self_reference_url": f"http://{HOST}:{port}",
                "image_cache_dir": f"{directory}/cache",
            },
            "database": {"connection": f"sqlite:///{directory}/glance.sqlite"},
            "disk": {"filesystem_store_datadir": str(store)},
            "os_glance_staging_store": {"filesystem_store_datadir": f"{directory}/staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": f"{directory}/tasks"},
            "glance_store": {"default_backend": "disk"},
            "paste_deploy": {
                "flavor": "keystone",
                "config_file": str(environment / "etc" / "glance" / "glance-api-paste.ini"),
            },
            "oslo_concurrency": {"lock_path": str(directory)},
            "keystone_authtoken": keystone.credentials("nova", "service"),
        }
    )
    path = _write(config, directory / "glance-api.conf")
    run(environment, directory, "glance-manage", "--config-file", str(path), "db_sync")
    variables = {"OS_GLANCE_CONFIG_DIR": str(directory)}
    return Api(
        environment, directory, port, module="glance.wsgi.api:application", variables=variables
    )


def cinder_api(environment: Path, directory: Path, port: int, keystone: Keystone) -> Api:
    """Cinder with an empty database and no backend."""
    config = RawConfigParser()
    config.read_dict(
        {
            "DEFAULT": {
                "log_file": f"{directory}/cinder.log",
                "state_path": str(directory),
                "transport_url": "fake:/",
                "api_paste_config": str(environment / "etc" / "cinder" / "api-paste.ini"),
                "auth_strategy": "keystone",
            },
            "database": {"connection": f"sqlite:///{directory}/cinder.sqlite"},
            "coordination": {"backend_url": f"file://{directory}/locks"},
            "oslo_concurrency": {"lock_path": str(directory)},
            "keystone_authtoken": keystone.credentials("nova", "service"),
        }
    )
    path = _write(config, directory / "cinder.conf")
    run(environment, directory, "cinder-manage", "--config-file", str(path), "db", "sync")
    return Api(
        environment,
        directory,
        port,
        module="cinder.wsgi.api:application",
        variables={},
        arguments=f"--config-file {path}",
    )


def announce(keystone: Keystone, service_type: str, url: str) -> None:
    """Put an endpoint into the service catalog: all three interfaces."""
    service = {"service": {"type": service_type, "name": service_type}}
    identifier = _tell(keystone, "/services", service)["service"]["id"]
    for interface in ("public", "internal", "admin"):
        endpoint = {
            "service_id": identifier,
            "interface": interface,
            "region_id": REGION,
            "url": url,
        }
        _tell(keystone, "/endpoints", {"endpoint": endpoint})


def run(environment: Path, directory: Path, program: str, *arguments: str, said: str = "") -> str:
    """Run a program of the lab; its output.

    Raises:
        ApiFailed: its exit code is not 0.
    """
    done = subprocess.run(
        [environment / "bin" / program, *arguments],
        env=environment_of(environment),
        cwd=directory,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ApiFailed(f"{program}: {done.stderr[-3000:]}")
    return done.stdout


def environment_of(environment: Path) -> dict[str, str]:
    """The variables under which a program of the lab runs."""
    return {
        "PATH": f"{environment / 'bin'}:{os.defpath}",
        "VIRTUAL_ENV": str(environment),
        "UWSGI_VIRTUALENV": str(environment),
        "LC_ALL": "C.UTF-8",
    }


def _write(config: RawConfigParser, path: Path) -> Path:
    with path.open("w") as file:
        config.write(file)
    return path


def _tell(keystone: Keystone, path: str, body: object) -> dict[str, dict[str, str]]:
    answer = requests.post(
        keystone.url + path,
        json=body,
        headers={"X-Auth-Token": keystone.token("admin", "admin")},
        timeout=20,
    )
    answer.raise_for_status()
    told: dict[str, dict[str, str]] = answer.json()
    return told
