"""The stock ``openstack`` command, as an operator types it."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud.ground import Ground
from lab.keystone import REGION
from lab.uwsgi import environment_of

_PATIENCE = 300  # seconds


class CommandFailed(Exception):
    """The command's exit code is not 0; the message is what it said."""


class Client:
    """An administrator's shell with the client in its path."""

    def __init__(self, ground: Ground) -> None:
        self._directory = ground.room("client")
        home = {"HOME": str(self._directory)}  # for its cache of entry points
        self._variables = environment_of(ground.environment) | _variables(ground) | home

    def sh(self, line: str, **variables: str) -> str:
        """What a line of shell prints.

        Raises:
            CommandFailed: its exit code is not 0.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            env=self._variables | variables,
            cwd=self._directory,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
        if done.returncode != 0:
            raise CommandFailed(f"{line}: {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, line: str) -> Any:
        """The value that ``openstack LINE -f json`` prints."""
        return json.loads(self.sh(f"openstack {line} -f json"))

    def write(self, name: str, content: bytes) -> Path:
        """A file in the shell's directory."""
        path = self._directory / name
        path.write_bytes(content)
        return path


def _variables(ground: Ground) -> Mapping[str, str]:
    """What an openrc file exports."""
    credentials = ground.keystone.credentials("admin", "admin")
    return {
        **{f"OS_{name.upper()}": value for name, value in credentials.items()},
        "OS_IDENTITY_API_VERSION": "3",
        "OS_REGION_NAME": REGION,
    }
