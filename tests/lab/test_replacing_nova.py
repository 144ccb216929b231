"""docs/replace-nova-api-metadata.md, step by step, on the databases of a real Nova."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lab.asking import Client, Reply, signed
from lab.environment import needed
from lab.kinds.table import KINDS
from lab.nova import SECRET, free_port
from lab.recording import Lab, a_lab
from lab.settings import DEFAULT
from support.parts import absent, need
from support.servers import uwsgi_command
from support.servers.databases import eventually

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "replace-nova-api-metadata.md").read_text()
BLOCK = re.compile(r"^```sh (\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = dict(BLOCK.findall(PAGE))

KIND = KINDS["minimal"]
DOCUMENT = "/openstack/latest/meta_data.json"
OURS_ONLY = "/openstack/latest/content"  # 404 of ours; Nova breaks there without an answer


@pytest.fixture(scope="module")
def real() -> Iterator[Lab]:
    """Real Nova with one server."""
    with a_lab(needed(), [KIND]) as found, found.serving(DEFAULT):
        yield found


@pytest.fixture
def nova_conf(real, tmp_path) -> Path:
    """Nova's own file; the one port that is not in the documents is one that is free here."""
    path = tmp_path / "nova.conf"
    own = f"[firstlight]\nstatus_port = {free_port()}\naccess_log = {tmp_path}/access.log\n"
    path.write_text(real.nova_conf.read_text() + own)
    return path


def changed(text: str, words: Mapping[str, object]) -> str:
    """The text with this machine's words for the page's."""
    for word, ours in words.items():
        assert word in text, word
        text = text.replace(word, str(ours))
    return text


@contextmanager
def typed(name: str, words: Mapping[str, object], home: Path) -> Iterator[subprocess.Popen]:
    """A command of the page, typed in `home`; it is ended with the block."""
    path = f"{home}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = os.environ | {"PATH": path}
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-ec", _last_instead(changed(COMMANDS[name], words))],
            cwd=home,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _last_instead(commands: str) -> str:
    """The last command in the shell's own process, so that ending this one ends it."""
    return re.sub(r"^(firstlight|uwsgi) ", r"exec \1 ", commands, flags=re.MULTILINE)


def printed(name: str, words: Mapping[str, object], home: Path) -> str:
    """What a command of the page prints; it succeeds."""
    with typed(name, words, home) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output.decode() + (home / f"{name}.log").read_text()
    return output.decode()


def ask(port: int, path: str = DOCUMENT) -> Reply:
    """As a metadata agent does."""
    headers = signed(KIND.instance["uuid"], KIND.instance["project_id"], SECRET, None)
    with Client(port) as client:
        return client.ask(path, headers.items())


def answers(port: int) -> bool:
    """Whether the document is served there."""
    try:
        return ask(port).status == 200
    except OSError:
        return False


def test_ask_first_whether_everything_is_there(nova_conf, tmp_path):
    """`firstlight check` finds nothing broken in Nova's own file."""
    assert printed("check", {"/etc/nova/nova.conf": nova_conf}, tmp_path)


def test_beside_nova(nova_conf, tmp_path):
    """The service on another port, asked as the page says; `firstlight show` agrees."""
    port = free_port()
    here = {"/etc/nova/nova.conf": nova_conf}
    who = {
        "UUID-OF-A-SERVER": KIND.instance["uuid"],
        "ITS-PROJECT": KIND.instance["project_id"],
        "metadata_proxy_shared_secret": SECRET,
        "8776": port,
    }
    with typed("beside", here | {"8776": port}, tmp_path):
        assert eventually(lambda: answers(port), 60), (tmp_path / "beside.log").read_text()
        told = json.loads(printed("ask", who, tmp_path))
    assert told["uuid"] == KIND.instance["uuid"]
    shown = printed("show", here | {"UUID-OF-A-SERVER": KIND.instance["uuid"]}, tmp_path)
    assert KIND.instance["hostname"] in shown


def test_with_systemd(tmp_path):
    """systemd accepts the unit with the drop-in, and the drop-in starts it from nova.conf."""
    analyze = need("systemd-analyze")
    units = ROOT / "etc" / "systemd"
    unit = tmp_path / "firstlight-metadata.service"
    drop_in = (units / f"{unit.name}.d" / "nova.conf.sample").read_text()
    assert f"/etc/systemd/system/{unit.name}.d/nova.conf" in drop_in
    assert "firstlight metadata --config-file /etc/nova/nova.conf" in drop_in
    lines = (units / unit.name).read_text().splitlines()
    unit.write_text("\n".join(line for line in lines if not line.startswith("User=")))
    (tmp_path / f"{unit.name}.d").mkdir()
    (tmp_path / f"{unit.name}.d" / "nova.conf").write_text(
        drop_in.replace("/usr/bin/firstlight", "/bin/true").replace("User=nova", "")
    )
    done = subprocess.run(
        [analyze, "verify", "--man=no", unit],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_under_uwsgi(nova_conf, tmp_path):
    """The file of ours in the place of Nova's, with the variables that Nova reads."""
    if not (Path(sys.executable).parent / "uwsgi").exists():
        absent("uwsgi is not in this environment (requirements/test.in)")
    uwsgi_command.install(tmp_path)
    port = free_port()
    ini = tmp_path / "firstlight-metadata.ini"
    text = (ROOT / "etc" / "uwsgi" / ini.name).read_text()
    home = {"; home = /usr/lib/firstlight": f"home = {sys.prefix}"}
    ini.write_text(
        changed(text, home | {"/etc/nova": nova_conf.parent, ":8775": f"127.0.0.1:{port}"})
    )
    with typed("uwsgi", {"/etc/uwsgi/firstlight-metadata.ini": ini}, tmp_path):
        assert eventually(lambda: answers(port), 60), (tmp_path / "uwsgi.log").read_text()
        assert json.loads(ask(port).body)["uuid"] == KIND.instance["uuid"]


def test_behind_haproxy_and_back(real, nova_conf, tmp_path):
    """Firstlight answers; stopped, Nova does, and no request is lost; started, Firstlight again."""
    need("haproxy")
    front, ours = free_port(), free_port()
    here = {"/etc/nova/nova.conf": nova_conf, "8776": ours}
    cfg = tmp_path / "firstlight-metadata.cfg"
    with real.serving(DEFAULT) as nova, ExitStack() as stack:
        text = (ROOT / "etc" / "haproxy" / cfg.name).read_text()
        ports = {":8775": f"127.0.0.1:{front}", ":8776": f":{ours}", ":8777": f":{nova}"}
        cfg.write_text(changed(text, ports))
        printed("haproxy", {"/etc/haproxy/firstlight-metadata.cfg": cfg}, tmp_path)
        with typed("beside", here, tmp_path):
            haproxy = subprocess.Popen(["haproxy", "-db", "-f", cfg], stderr=subprocess.DEVNULL)
            stack.callback(haproxy.wait)
            stack.callback(haproxy.terminate)
            assert eventually(lambda: who_answers(front) == "firstlight", 30)
        assert [ask(front).status for _ in range(50)] == [200] * 50
        assert who_answers(front) == "nova"
        with typed("beside", here, tmp_path):
            assert eventually(lambda: who_answers(front) == "firstlight", 30)


def who_answers(port: int) -> str:
    """Which of the two is behind the port."""
    try:
        status = ask(port, OURS_ONLY).status
    except OSError:
        return "nobody"
    return "firstlight" if status == 404 else "nova"
