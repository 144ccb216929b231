"""Configurations that cannot work stop the start, by name."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

AUTH = "auth_strategy = noauth\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (AUTH + "providers = nobody", ["nobody", "available are broken, ", "echo, failing"]),
        (AUTH + "providers = echo,broken", ["broken (no_such_module:Broken)", "no_such_module"]),
        (AUTH + "providers = number", ["number", "no subclass"]),
        (AUTH + "providers = echo,echo", ["echo twice"]),
        (AUTH + "providers = cloud-init", ["cannot be named cloud-init"]),
        (AUTH + "providers = static_map", ["[provider:static_map]", "file is not set"]),
        (
            AUTH + "providers = static_map\n[provider:static_map]\nfile = /nowhere/map.yaml",
            ["/nowhere/map.yaml", "No such file"],
        ),
        (
            AUTH + "providers = static_map\n[provider:static_map]\nfile = x\nmax_age = soon",
            ["[provider:static_map]", "max_age"],
        ),
        (AUTH + "providers = project_info", ["provider project_info", "[service_auth] auth_type"]),
        (
            AUTH + "providers = project_info\n[service_auth]\nauth_type = nonsense",
            ["[service_auth]", "nonsense"],
        ),
        ("auth_strategy = maybe", ["auth_strategy", "maybe"]),
        ("providers = echo", ["[keystone_authtoken] auth_type is not set"]),
        ("[keystone_authtoken]\nauth_type = nonsense", ["[keystone_authtoken]", "nonsense"]),
        ("[firstlight]\nprovider_deadline = never", ["provider_deadline"]),
    ],
)
def test_it_says_what_is_wrong(
    options: str,
    said: list[str],
    tmp_path: Path,
    command: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """Exit code 1 and one message that names the option and what would do; no traceback."""
    conf, log = tmp_path / "vendordata.conf", tmp_path / "log"
    status = "" if "[firstlight]" in options else "\n[firstlight]\nstatus_port = 0"
    conf.write_text(f"[DEFAULT]\n{options}{status}\n")
    process = command(conf, log, "--listen", "127.0.0.1", "--port", "0")
    assert process.wait(30) == 1
    output = log.read_text()
    assert "Traceback" not in output
    for part in said:
        assert part in output
