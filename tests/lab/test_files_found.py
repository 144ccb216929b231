"""Which files are read, in which order: real Nova's and Neutron's readers beside ours."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lab import environment
from support.parts import absent, need

_INSIDE = Path(__file__).with_name("inside_files.py")
_PASTE = "[composite:metadata]\nuse = egg:Paste#urlmap\n"
# Each file says its own name, so that the last one read is told by a value as well.
_DATABASES = """\
[api]
dhcp_domain = $PATH
[api_database]
connection = mysql+pymysql://nova@127.0.0.1/api
[database]
connection = mysql+pymysql://nova@127.0.0.1/cell
"""
NOVA, EXTRA = "/etc/nova/nova.conf", "/etc/nova/extra.conf"
PASTE = "/etc/nova/api-paste.ini"
UNDER, ABOVE = "/etc/nova/nova.conf.d/01-nova.conf", "/etc/nova/nova.conf.d/99-site.conf"
OF_PROGRAM = "/etc/nova/nova-api-metadata.conf"
IN_PROGRAM = "/etc/nova/nova-api-metadata.conf.d/10.conf"
SITE = "/etc/nova/site.d/01.conf"
COMMAND, UWSGI, MOD_WSGI = ["nova-api-metadata"], ["/usr/bin/uwsgi"], ["mod_wsgi"]
OLD = "[firstlight]\nnova_release = 31\n" + _DATABASES


class Layout(NamedTuple):
    """Files, and how the program is started. `wsgi`: which Novas start it like that."""

    files: Sequence[str]
    argv: Sequence[str]
    wsgi: str = ""
    environ: Mapping[str, str] = {}
    text: str = _DATABASES

    def told(self) -> dict[str, Any]:
        texts = {file: _PASTE if file.endswith("paste.ini") else self.text for file in self.files}
        return {**self._asdict(), "files": texts, "argv": [*self.argv]}


ALL = [NOVA, PASTE, UNDER, ABOVE, OF_PROGRAM, IN_PROGRAM, EXTRA, SITE]
LAYOUTS = {
    # The command, as Nova has it up to 31 and the distributions' units run it.
    "a file": Layout([NOVA], COMMAND),
    "a file that is empty, and a folder": Layout([NOVA, UNDER], COMMAND),
    "a folder alone": Layout([UNDER, ABOVE], COMMAND),
    "a file of the program": Layout([NOVA, OF_PROGRAM], COMMAND),
    "folders of project and program": Layout([NOVA, UNDER, OF_PROGRAM, IN_PROGRAM], COMMAND),
    "a file at home": Layout([NOVA, "~/.nova/nova.conf", UNDER], COMMAND),
    "a file right at home": Layout([NOVA, "~/nova.conf"], COMMAND),
    "a folder at home": Layout([NOVA, UNDER, "~/.nova/nova.conf.d/1.conf"], COMMAND),
    "a file right in /etc": Layout(["/etc/nova.conf", "/etc/nova.conf.d/1.conf"], COMMAND),
    "what is no *.conf": Layout([NOVA, UNDER, UNDER + ".bak", "/etc/nova/README"], COMMAND),
    "a hidden file": Layout([NOVA, "/etc/nova/nova.conf.d/.1.conf", UNDER], COMMAND),
    "everything": Layout(ALL, COMMAND),
    "nothing at all, and a file named": Layout([EXTRA], [*COMMAND, "--config-file", EXTRA]),
    "a file named": Layout(ALL, [*COMMAND, "--config-file", NOVA]),
    "two files named": Layout(ALL, [*COMMAND, "--config-file", NOVA, "--config-file", EXTRA]),
    "with equals signs": Layout(ALL, [*COMMAND, f"--config-file={EXTRA}", f"--config-file={NOVA}"]),
    "a folder named": Layout(ALL, [*COMMAND, "--config-dir", "/etc/nova/site.d"]),
    "a file, then a folder": Layout(
        ALL, [*COMMAND, "--config-file", NOVA, "--config-dir", "/etc/nova/site.d"]
    ),
    "a folder, then a file": Layout(
        ALL, [*COMMAND, "--config-dir", "/etc/nova/site.d", "--config-file", NOVA]
    ),
    "a file, a folder, a file": Layout(
        ALL,
        [*COMMAND, "--config-file", NOVA, "--config-dir=/etc/nova/site.d", "--config-file", EXTRA],
    ),
    "two folders": Layout(
        ALL, [*COMMAND, "--config-dir", "/etc/nova/site.d", "--config-dir", "/etc/nova/nova.conf.d"]
    ),
    "one file twice": Layout(ALL, [*COMMAND, "--config-file", NOVA, "--config-file", NOVA]),
    "a relative name": Layout(ALL, [*COMMAND, "--config-file", "nova/nova.conf"]),
    "a name at home": Layout(["~/mine.conf", UNDER], [*COMMAND, "--config-file", "~/mine.conf"]),
    "a file that is not there": Layout([NOVA], [*COMMAND, "--config-file", "/etc/nova/none.conf"]),
    "a folder that is not there": Layout([NOVA], [*COMMAND, "--config-dir", "/etc/nova/none.d"]),
    "an empty folder": Layout(
        [NOVA, "/etc/nova/empty.d/note"], [*COMMAND, "--config-dir", "/etc/nova/empty.d"]
    ),
    # The WSGI application: kolla-ansible, openstack-helm and devstack set no variable.
    "uWSGI": Layout(ALL, UWSGI, "now"),
    "uWSGI, and a folder of that name": Layout(
        [*ALL, "/etc/nova/uwsgi.conf.d/1.conf", "/etc/nova/uwsgi.conf"], UWSGI, "now"
    ),
    "mod_wsgi": Layout([*ALL, "/etc/nova/mod_wsgi.conf.d/1.conf"], MOD_WSGI, "now"),
    "a blank nova.conf under mod_wsgi": Layout([NOVA, PASTE, UNDER], MOD_WSGI, "now"),
    "Nova's folder": Layout(
        [*ALL, "~/n/nova.conf", "~/n/api-paste.ini"], UWSGI, "now", {"OS_NOVA_CONFIG_DIR": "HOME/n"}
    ),
    "Nova's files": Layout(
        ALL, UWSGI, "now", {"OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf;extra.conf"}
    ),
    "Nova's files, without paste's": Layout(
        ALL, MOD_WSGI, "now", {"OS_NOVA_CONFIG_FILES": "nova.conf"}
    ),
    "files named by uWSGI's pyargv": Layout(
        ALL, [*UWSGI, "--config-file", EXTRA, "--config-dir", "/etc/nova/site.d"], "now"
    ),
    "no nova.conf": Layout([PASTE, UNDER], UWSGI, "now"),
    # Before Nova 33 the application looked for the name of the program it ran in.
    "uWSGI with Nova 31": Layout(
        [*ALL, "/etc/nova/uwsgi.conf.d/1.conf"], UWSGI, "before 33", text=OLD
    ),
    "mod_wsgi with Nova 31": Layout(
        [*ALL, "/etc/nova/mod_wsgi.conf.d/1.conf"], MOD_WSGI, "before 33", text=OLD
    ),
}

AGENT, OVN_AGENT = "neutron-metadata-agent", "neutron-ovn-metadata-agent"
NEUTRON, INI = "/etc/neutron/neutron.conf", "/etc/neutron/metadata_agent.ini"
OVN_INI = "/etc/neutron/neutron_ovn_metadata_agent.ini"
_NEUTRONS = [
    NEUTRON,
    INI,
    OVN_INI,
    "/etc/neutron/neutron.conf.d/1.conf",
    "/etc/neutron/neutron-metadata-agent.conf.d/1.conf",
    "/etc/neutron/neutron-ovn-metadata-agent.conf.d/1.conf",
    "/etc/neutron/neutron-ovn-agent.conf.d/1.conf",
    "/etc/neutron/ovn_agent.ini",
    "/etc/neutron/conf.d/common/1.conf",
]
_CA = "[DEFAULT]\nauth_ca_cert = $PATH\n"


def _agent(program: str, *files: str, more: Sequence[str] = ()) -> Layout:
    named = [word for file in files for word in ("--config-file", file)]
    return Layout(_NEUTRONS, [program, *named, *more], text=_CA)


AGENTS = {
    "the agent": _agent(AGENT, NEUTRON, INI),
    "the agent, its file alone": _agent(AGENT, INI),
    "the agent, with a folder": _agent(
        AGENT, NEUTRON, INI, more=["--config-dir", "/etc/neutron/conf.d/common"]
    ),
    "OVN's metadata agent": _agent(OVN_AGENT, NEUTRON, OVN_INI),
    "OVN's agent": _agent("neutron-ovn-agent", NEUTRON, "/etc/neutron/ovn_agent.ini"),
}

Read = Callable[[str, dict[str, Layout]], dict[str, Any]]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """What a program reads of layouts, by their names."""
    probe = subprocess.run([need("unshare"), "-m", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        absent("no mount namespace can be made here; root may")
    pythons = {"nova": environment.needed() / "bin" / "python"}
    pythons["neutron"] = pythons["nova"]
    here = tmp_path_factory.mktemp("etc")

    def run(program: str, layouts: dict[str, Layout]) -> dict[str, Any]:
        told = json.dumps([layout.told() for layout in layouts.values()])
        done = subprocess.run(
            [
                *("unshare", "-m", str(pythons.get(program, sys.executable)), "-P", str(_INSIDE)),
                *(program, str(here)),
            ],
            input=told.replace("HOME", f"{here}/home"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(zip(layouts, json.loads(done.stdout.splitlines()[-1]), strict=True))

    return run


def test_the_metadata_service_reads_what_novas_does(read: Read) -> None:
    theirs, ours = read("nova", LAYOUTS), read("firstlight", LAYOUTS)
    refused = {name for name, found in theirs.items() if isinstance(found, str)}
    assert refused == {"a file that is not there", "a folder that is not there", "no nova.conf"}
    for name in refused:
        assert ours.pop(name).startswith("refused: ConfigError"), name
        del theirs[name]
    assert ours == theirs
    assert sum(len(found["read"]) for found in theirs.values()) > 100  # it reads files at all


def test_the_agents_read_what_neutrons_do(read: Read) -> None:
    theirs, ours = read("neutron", AGENTS), read("agent", AGENTS)
    assert ours == theirs
    assert len(theirs["the agent"]["read"]) == 4
    assert theirs["the agent"]["last"] == INI
