"""Real Keystone under uWSGI, on loopback, with SQLite in a directory.

Made by it: what ``keystone-manage bootstrap`` makes (an admin, the region, the endpoints), the
project `service` with the users nova, neutron and vendordata, who have the role `service` there,
and the project `demo` with the user of that name, role `member`. The user vendordata may also read
everything: role `reader` on the system. Every password is :data:`PASSWORD`.
"""

import json
import os
import sqlite3
from base64 import urlsafe_b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from lab.prepared import copy, prepared
from lab.uwsgi import HOST, Uwsgi, command, run
from support.servers.databases import free_port

PASSWORD = "firstlight-lab"
REGION = "lab"
SERVICE_USERS = ("nova", "neutron", "vendordata")
_HOUR = 3600
_KEYS = ("fernet-keys", "receipt-keys", "credential-keys")
_DATABASE, _PROJECTS = "keystone.sqlite", "projects.json"

_CONF = """\
[DEFAULT]
log_file = {directory}/keystone.log
[database]
connection = sqlite:///{directory}/keystone.sqlite
[identity]
# As few as there can be: by default each password that is checked costs a quarter of a second.
password_hash_rounds = 4
[fernet_tokens]
key_repository = {directory}/fernet-keys
[fernet_receipts]
key_repository = {directory}/receipt-keys
[credential]
key_repository = {directory}/credential-keys
[token]
expiration = {expiration}
[oslo_policy]
policy_file = {directory}/policy.yaml
"""


class Keystone:
    """A Keystone that can be stopped and started again; it keeps its databases and its port.

    Args:
        environment: the lab, see :func:`lab.environment.lab`.
        directory: for everything it writes; empty at first.
        port: a free one.
    """

    def __init__(self, environment: Path, directory: Path, port: int) -> None:
        self._environment = environment
        self._directory = directory
        self.url = f"http://{HOST}:{port}/v3"
        self._variables = {
            "OS_KEYSTONE_CONFIG_DIR": str(directory),
            "OS_KEYSTONE_CONFIG_FILES": "keystone.conf",
        }
        # One request at a time: it notes when a user was last active, and of two who log in for the
        # first time at once SQLite refuses one ("database is locked"), who gets no answer.
        served = command(environment, port, "--module", "keystone.wsgi.api:application", threads=1)
        self._uwsgi = Uwsgi(environment, directory, served, self.url, variables=self._variables)
        self.projects: dict[str, str] = {}  # ids by name
        (directory / "policy.yaml").touch()

    def create(self) -> None:
        """Start with databases, keys, projects and users; they are made once for an environment."""
        made = prepared(self._environment, "keystone", (Path(__file__),), self._prepare)
        copy(made, self._directory, *_KEYS, _DATABASE)
        self.projects = json.loads((made / _PROJECTS).read_text())
        with closing(sqlite3.connect(self._directory / _DATABASE)) as database, database:
            database.execute("UPDATE endpoint SET url = ?", (self.url,))
        self.start()

    def start(self, *, expiration: int = _HOUR) -> None:
        """Serve; returns when it answers. New tokens are good for `expiration` seconds."""
        self._configure(expiration)
        self._uwsgi.start()

    def stop(self) -> None:
        """Serve no more. Stopping twice does no harm."""
        self._uwsgi.stop()

    @property
    def pid(self) -> int:
        """Of its process, while it serves."""
        return self._uwsgi.pid

    def credentials(self, user: str, project: str | None = None, **more: str) -> dict[str, str]:
        """keystoneauth's options for a password of `user`; without a project, add a scope."""
        scope = {"project_name": project, "project_domain_id": "default"} if project else {}
        return {
            "auth_type": "password",
            "auth_url": self.url,
            "username": user,
            "password": PASSWORD,
            "user_domain_id": "default",
            **scope,
            **more,
        }

    def token(self, user: str, project: str | None = None) -> str:
        """A fresh token of `user` on `project`; None: on the system."""
        scope = {"project": _named(project)} if project else {"system": {"all": True}}
        answer = requests.post(
            f"{self.url}/auth/tokens",
            json={"auth": {"identity": _identity(user), "scope": scope}},
            timeout=20,
        )
        answer.raise_for_status()
        return answer.headers["X-Subject-Token"]

    def revoke(self, token: str) -> None:
        """Make `token` invalid."""
        self.call("DELETE", "/auth/tokens", **{"X-Subject-Token": token})

    def grant(self, user: str, project: str, role: str) -> None:
        """Give a user one more role on a project; all by name."""
        self._grant(self._id("users", user), f"projects/{self.projects[project]}", role)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask as an administrator; the answer's JSON value."""
        headers["X-Auth-Token"] = self.token("admin", "admin")
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=20)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _prepare(self, directory: Path) -> None:
        """Make all that in another directory, with a Keystone that serves for as long."""
        first = Keystone(self._environment, directory, free_port())
        try:
            first._make()
        finally:
            first.stop()

    def _make(self) -> None:
        self._configure(_HOUR)
        for keys in _KEYS:
            self._make_keys(self._directory / keys)
        self._manage("db_sync")
        self._manage("bootstrap", *self._bootstrap())
        self.start()
        self._populate()
        (self._directory / _PROJECTS).write_text(json.dumps(self.projects))

    def _configure(self, expiration: int) -> None:
        text = _CONF.format(directory=self._directory, expiration=expiration)
        (self._directory / "keystone.conf").write_text(text)

    @staticmethod
    def _make_keys(directory: Path) -> None:
        """As keystone-manage does, which takes two seconds for each repository.

        Keystone encrypts with the key of the highest number; 0 is the next one.
        """
        directory.mkdir(mode=0o700)
        for number in (0, 1):
            (directory / str(number)).write_bytes(urlsafe_b64encode(os.urandom(32)))

    def _bootstrap(self) -> tuple[str, ...]:
        urls = (f"--bootstrap-{kind}-url={self.url}" for kind in ("admin", "internal", "public"))
        return (f"--bootstrap-password={PASSWORD}", f"--bootstrap-region-id={REGION}", *urls)

    def _populate(self) -> None:
        for name in ("service", "demo"):
            body = {"project": {"name": name, "domain_id": "default"}}
            self.projects[name] = self.call("POST", "/projects", body)["project"]["id"]
        for name in SERVICE_USERS:
            self._grant(self._user(name), f"projects/{self.projects['service']}", "service")
        self._grant(self._user("demo"), f"projects/{self.projects['demo']}", "member")
        self._grant(self._id("users", "vendordata"), "system", "reader")

    def _user(self, name: str) -> str:
        body = {"user": {"name": name, "password": PASSWORD, "domain_id": "default"}}
        made: str = self.call("POST", "/users", body)["user"]["id"]
        return made

    def _grant(self, user: str, where: str, role: str) -> None:
        self.call("PUT", f"/{where}/users/{user}/roles/{self._id('roles', role)}")

    def _id(self, kind: str, name: str) -> str:
        (found,) = self.call("GET", f"/{kind}?name={name}")[kind]
        return str(found["id"])

    def _manage(self, *arguments: str) -> None:
        conf = ("--config-file", str(self._directory / "keystone.conf"))
        at = (self._environment, self._directory)
        run(*at, "keystone-manage", *conf, *arguments, variables=self._variables)


def _identity(user: str) -> dict[str, Any]:
    who = {**_named(user), "password": PASSWORD}
    return {"methods": ["password"], "password": {"user": who}}


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "domain": {"id": "default"}}
