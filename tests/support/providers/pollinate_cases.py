"""What is asked of nova-pollinate and of ours: the same questions, and what both may differ in.

tools/record-pollinate asks the real one and writes pollinate_answers.json beside this file.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import requests

ANSWERS = Path(__file__).with_name("pollinate_answers.json")

ENTRY_POINTS = """\
[pollinate.providers]
site = pollinate_plugins:Site
motd = pollinate_plugins:Motd
quiet = pollinate_plugins:Quiet
broken_plugin = pollinate_plugins:Broken
secret = pollinate_plugins:Secret
server = pollinate_plugins:Server
another = pollinate_plugins:Another
"""

# As nova-pollinate.conf has them; nobody is asked for a token.
OPTIONS = {
    "auth_strategy": "noauth",
    "providers": "site,motd,quiet,broken_plugin,secret",
}
SERVICE_AUTH = {
    "auth_type": "password",
    "auth_url": "http://127.0.0.1:9/v3",
    "username": "pollinate",
    "password": "secret",
    "project_name": "service",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}

THREE_KEYS = {
    "project-id": "c64856ec10154662a7fce6e0a36be242",
    "image-id": "47446046-f6ce-404e-a591-d72310fac1bf",
    "instance-id": "68347e42-b5b1-4e25-a541-a39a0ebb6b34",
}
NOVAS = THREE_KEYS | {
    "user-data": None,
    "hostname": "web-1",
    "metadata": {"role": "web"},
    "boot-roles": "member,reader",
}
CONFIRMED = {"X-Identity-Status": "Confirmed"}
JSON = {"Content-Type": "application/json"}


class Case(NamedTuple):
    """One question; `differs` says why our answer is another one."""

    method: str
    path: str
    headers: dict[str, str]
    body: str = ""
    differs: str = ""


def _post(body: Any, headers: dict[str, str] = CONFIRMED, differs: str = "") -> Case:
    text = body if isinstance(body, str) else json.dumps(body)
    return Case("POST", "/", JSON | headers, text, differs)


CASES = {
    "nova": _post(NOVAS),
    "three keys": _post(THREE_KEYS),
    "only a project": _post({"project-id": "p"}),
    "an unknown key": _post(NOVAS | {"more": 1}),
    "nobody says who asks": _post(NOVAS, {}),
    "an invalid caller": _post(NOVAS, {"X-Identity-Status": "Invalid"}),
    "the readme's header": _post(NOVAS, {"HTTP_X_IDENTITY_STATUS": "Confirmed"}),
    "nothing": _post(""),
    "no project": _post({"instance-id": "i"}),
    "no JSON": _post("{"),
    "a list": _post([]),
    "no content type": Case(
        "POST", "/", CONFIRMED, json.dumps(NOVAS), "ours reads JSON whatever it is called"
    ),
    "GET": Case("GET", "/", CONFIRMED),
    "nowhere": Case("GET", "/nowhere", CONFIRMED),
    "healthcheck": Case("GET", "/healthcheck", {}),
    "test without Vault": Case("GET", "/test", {}),
}


def ask(url: str, case: Case) -> dict[str, Any]:
    """The status, and the JSON of the body where there is some."""
    answer = requests.request(
        case.method, url + case.path, headers=case.headers, data=case.body, timeout=20
    )
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return {"status": answer.status_code, "json": answer.json() if is_json else None}


def install(directory: Path) -> Path:
    """Make the plug-ins installed where `directory` is on the path."""
    source = Path(__file__).with_name("pollinate_plugins.py")
    (directory / source.name).write_text(source.read_text())
    information = directory / "pollinate_plugins-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: pollinate-plugins\nVersion: 1\n"
    )
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    return directory
