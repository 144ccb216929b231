"""``firstlight check`` on the embedded store, beside a real service, as an operator types it."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from conformance.processes import instance_command, running
from lab.serving import Reply, serving
from support.servers.databases import free_port

_FIRSTLIGHT = Path(sys.executable).parent / "firstlight"
SECRET = "the-secret-of-both-sides"
INSTANCE = """\
uuid: 6a2f0f0e-3f3c-4f63-9ad0-2d5a5c5e2b11
project_id: b3a9c4a0c54b4bd6a7c5d5c6f3f1f001
name: web-1
hostname: web-1
"""


class Checked:
    """What the command said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.errors = done.stderr
        self.value = json.loads(done.stdout)
        self.steps = {step["name"]: step for step in self.value["steps"]}

    def verdicts(self) -> dict[str, str]:
        return {name: step["verdict"] for name, step in self.steps.items()}

    def said(self, name: str) -> str:
        return " | ".join(finding["said"] for finding in self.steps[name]["findings"])

    def worst(self, name: str) -> dict:
        findings = self.steps[name]["findings"]
        return next(one for one in findings if one["verdict"] == self.steps[name]["verdict"])


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_FIRSTLIGHT, "check", *arguments], capture_output=True, text=True, timeout=100
    )


def check(*files: Path, **options: str | Path | bool) -> Checked:
    named = [f"--config-file={file}" for file in files]
    flags = [
        f"--{name.replace('_', '-')}" if value is True else f"--{name.replace('_', '-')}={value}"
        for name, value in options.items()
    ]
    return Checked(command("--json", *named, *flags))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one instance."""
    home = tmp_path_factory.mktemp("store")
    (home / "web-1.yaml").write_text(INSTANCE)
    instance_command(home / "store.sqlite", home, "add", str(home / "web-1.yaml"))
    return home / "store.sqlite"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(made, tmp_path))


@pytest.fixture
def conf(tmp_path: Path, store: Path) -> Path:
    """A configuration that is right, for a service that is not started."""
    file = tmp_path / "metadata.conf"
    file.write_text(
        f"[DEFAULT]\nmetadata_listen = 127.0.0.1\nmetadata_listen_port = {free_port()}\n"
        f"[firstlight]\nstatus_port = {free_port()}\n[store]\nconnection = sqlite:///{store}\n"
        f"[neutron]\nservice_metadata_proxy = true\nmetadata_proxy_shared_secret = {SECRET}\n"
    )
    return file


def with_more(conf: Path, text: str) -> Path:
    more = conf.with_name("more.conf")
    more.write_text(text)
    return more


def test_before_the_first_start(conf):
    """Nothing is asked that does not run yet, and nothing is broken."""
    checked = check(conf, before_start=True)
    assert set(checked.verdicts().values()) == {"ok"}
    assert (checked.code, checked.errors, checked.value["ok"]) == (0, "", True)
    assert checked.value["files"] == [str(conf)]
    assert "instances: 1" in checked.said("store")


def test_a_running_service(conf, store, tmp_path):
    """It answers on both listeners, and takes a signature made with the file's secret."""
    with running("firstlight", tmp_path, store, [conf]):
        checked = check(conf, tmp_path / "where.conf")
    assert checked.verdicts() == {
        "configuration": "ok",
        "log": "ok",
        "options in vain": "ok",
        "Nova's release": "ok",
        "shared secret": "ok",
        "store": "ok",
        "metadata service": "ok",
        "status": "ok",
        "signed request": "ok",
    }


def test_a_service_with_another_secret(conf, store, tmp_path):
    """The file was changed and the service not reloaded: that is what is said."""
    with running("firstlight", tmp_path, store, [conf]):
        changed = with_more(conf, "[neutron]\nmetadata_proxy_shared_secret = a-newer-one\n")
        checked = check(conf, tmp_path / "where.conf", changed)
    assert checked.code == 1
    worst = checked.worst("signed request")
    assert "403" in worst["said"]
    assert worst["place"] == {
        "file": str(changed),
        "option": "[neutron] metadata_proxy_shared_secret",
    }
    assert checked.steps["store"]["verdict"] == "ok"


def test_a_service_that_is_not_there(conf):
    """What needs it is not tried; what does not is."""
    checked = check(conf)
    assert checked.code == 1
    assert checked.verdicts()["metadata service"] == "broken"
    assert checked.verdicts()["status"] == checked.verdicts()["signed request"] == "not tried"
    assert checked.verdicts()["store"] == "ok"
    assert checked.worst("metadata service")["place"]["file"] == str(conf)


def test_a_service_that_listens_everywhere(conf):
    """It is asked here, and the address that was asked is printed."""
    more = with_more(conf, "[DEFAULT]\nmetadata_listen = 0.0.0.0\nmetadata_listen_port = 9\n")
    assert "nobody answers at 127.0.0.1:9: " in check(conf, more).said("metadata service")


@pytest.mark.parametrize(
    ("secret", "verdict"), [(SECRET, "ok"), ("another", "broken"), ("", "broken")]
)
def test_an_agents_file(conf, tmp_path, secret, verdict):
    """Whether it signs with the same secret, without either being shown."""
    agent = tmp_path / "metadata_agent.ini"
    agent.write_text(f"[DEFAULT]\nmetadata_proxy_shared_secret = {secret}\n")
    checked = check(conf, before_start=True, agent_file=agent)
    findings = checked.steps["shared secret"]["findings"]
    [compared] = [one for one in findings if one["said"].startswith(("the same", "another"))]
    assert compared["verdict"] == verdict


def test_an_agents_file_that_cannot_be_read(conf, tmp_path):
    """That is a warning: the service may be right all the same."""
    checked = check(conf, before_start=True, agent_file=tmp_path / "none.ini")
    assert (checked.code, checked.verdicts()["shared secret"]) == (0, "warning")


def test_no_secret(conf):
    """Whoever reaches the service can be anybody."""
    checked = check(conf, with_more(conf, "[neutron]\nmetadata_proxy_shared_secret =\n"))
    assert "empty" in checked.worst("shared secret")["said"]


def test_a_store_that_is_not_there_yet(conf, tmp_path):
    """It would be made; the command does not make it."""
    absent = tmp_path / "new.sqlite"
    more = with_more(conf, f"[store]\nconnection = sqlite:///{absent}\n")
    checked = check(conf, more, before_start=True)
    assert checked.verdicts()["store"] == "warning"
    assert not absent.exists()


def test_a_store_without_its_directory(conf):
    """The first start would fail."""
    more = with_more(conf, "[store]\nconnection = sqlite:////nowhere/at/all/store.sqlite\n")
    checked = check(conf, more, before_start=True)
    assert checked.verdicts()["store"] == "broken"
    assert checked.worst("store")["place"] == {"file": str(more), "option": "[store] connection"}


def test_another_programs_database(conf, tmp_path):
    """It is recognised, and left as it is."""
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('cdeec0c85668')")
        connection.commit()
    before = other.read_bytes()
    more = with_more(conf, f"[store]\nconnection = sqlite:///{other}\n")
    checked = check(conf, more, before_start=True)
    assert "belongs to another program" in checked.worst("store")["said"]
    assert other.read_bytes() == before


def test_targets(conf, tmp_path):
    """Each is asked, and each is told apart: one that works, one that is dead, one with HTML."""

    def answer(asked):
        return Reply(200, b'{"a": 1}' if asked.path == "/good" else b"<html>", "text/html")

    with serving(answer) as url:
        more = with_more(
            conf,
            "[api]\nvendordata_providers = StaticJSON,DynamicJSON\n"
            f"vendordata_jsonfile_path = {tmp_path}/none.json\n"
            f"vendordata_dynamic_targets = good@{url}/good,dead@http://127.0.0.1:9/,html@{url}/h\n",
        )
        checked = check(conf, more, before_start=True)
    verdicts = checked.verdicts()
    assert verdicts["static vendor data"] == "broken"
    assert verdicts["Keystone for targets"] == "warning"
    targets = {name: verdicts[f"target {name}"] for name in ("good", "dead", "html")}
    assert targets == {"good": "ok", "dead": "broken", "html": "broken"}
    assert checked.worst("target dead")["place"]["option"] == "[api] vendordata_dynamic_targets"


def test_a_file_that_cannot_be_parsed(conf):
    """One step says so, without the line itself; there is nothing else to walk."""
    checked = check(conf, with_more(conf, "[neutron]\nhunter2\n"))
    assert (checked.code, list(checked.steps)) == (1, ["configuration"])
    assert "line 2" in checked.said("configuration")
    assert "hunter2" not in json.dumps(checked.value)


def test_no_secret_is_printed(conf):
    """Whatever is broken: passwords of URLs, tokens, secrets are in no line, of either form."""
    more = with_more(
        conf,
        "[store]\nconnection = postgresql+psycopg://me:canary-one@127.0.0.1:9/x\ntimeout = 2\n"
        "[neutron]\nmetadata_proxy_shared_secret = canary-two\n"
        "[firstlight]\nprevious_shared_secrets = canary-three\n"
        "[api]\nvendordata_providers = DynamicJSON\n"
        "vendordata_dynamic_targets = a@http://u:canary-four@127.0.0.1:9/?key=canary-five\n"
        "[vendordata_dynamic_auth]\nauth_type = password\nauth_url = http://127.0.0.1:9/v3\n"
        "username = nova\npassword = canary-six\nuser_domain_id = default\n",
    )
    agent = conf.with_name("agent.ini")
    agent.write_text("[DEFAULT]\nmetadata_proxy_shared_secret = canary-seven\n")
    arguments = [f"--config-file={conf}", f"--config-file={more}", f"--agent-file={agent}"]
    for form in ([], ["--json"]):
        done = command(*form, *arguments)
        assert done.returncode == 1
        assert "canary" not in done.stdout + done.stderr


def test_for_people(conf):
    """One line for each finding, plain when piped; where and how to mend it below; a summary."""
    done = command(f"--config-file={conf}", "--agent-file=/nowhere/agent.ini")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["ok", "configuration", str(conf)]
    assert any(line.strip().startswith("in    ") for line in lines)
    assert any(line.strip().startswith("mend  ") for line in lines)
    assert lines[-1] == "1 broken, 2 not tried, 1 warning, 5 ok"
    assert "\x1b" not in done.stdout
