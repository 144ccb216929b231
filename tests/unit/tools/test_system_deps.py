"""What `make test` says and does about Debian's packages before it runs."""

import os
import subprocess
from pathlib import Path

import pytest
import system_deps

from support.servers.databases import eventually

DAEMONS = [
    (
        ["/usr/bin/python3", "/usr/bin/nova-compute", "--config-file=/etc/nova/nova.conf"],
        "nova-comp",
    ),
    (["nova-conductor"], "nova-conductor"),
    (["/usr/bin/python3", "/usr/bin/neutron-metadata-agent"], "neutron-metadata-agent"),
    (["neutron-server: rpc worker (/usr/bin/python3 /usr/bin/neutron-server)"], "neutron-server"),
    (["/usr/sbin/mariadbd"], "mariadbd"),
    (["/usr/sbin/mysqld", "--user=mysql"], "mysqld"),
    (["/bin/sh", "/usr/sbin/rabbitmq-server"], "rabbitmq-server"),
    (["/usr/lib/erlang/erts-13/bin/beam.smp", "-pa", "/usr/lib/rabbitmq/ebin"], "rabbitmq-server"),
    (["/usr/bin/uwsgi_python3", "--ini", "/etc/nova/nova-api-metadata-uwsgi.ini"], "nova-api-meta"),
    (["uwsgi", "--module", "nova.wsgi.metadata"], "nova.wsgi.metadata"),
]
OTHERS = [
    ["/bin/sleep", "1"],
    ["/usr/bin/vi", "/etc/nova/nova.conf"],
    ["grep", "nova-compute"],
    ["/home/me/.cache/firstlight/lab/bin/uwsgi", "--module", "nova.wsgi.metadata"],
    ["/usr/sbin/mariadbd", "--datadir=/tmp/firstlight-mysql-x/data"],
    ["/cache/lab/bin/python", "/cache/lab/bin/neutron-server", "/tmp/pytest-of-me/pytest-1/n.conf"],
    ["firstlight", "metadata", "--config-file", "/etc/nova/nova.conf"],
    [""],
]


@pytest.mark.parametrize(("words", "name"), DAEMONS)
def test_a_real_service(words, name):
    """Each way in which one is started is seen."""
    assert system_deps.service_of(words).startswith(name)


@pytest.mark.parametrize("words", OTHERS)
def test_no_real_service(words):
    """Neither those of the tests nor a word in another program's arguments."""
    assert system_deps.service_of(words) == ""


def test_a_service_that_runs():
    """It is named, with its process, and nothing is installed."""
    with subprocess.Popen(["nova-compute", "60"], executable="/bin/sleep") as process:
        try:
            assert eventually(Path(f"/proc/{process.pid}/cmdline").read_bytes, 10)
            with pytest.raises(
                system_deps.NotInstalled, match=rf"nova-compute \(process {process.pid}\)"
            ):
                system_deps.refuse_beside_services()
        finally:
            process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked")
@pytest.mark.parametrize(("environ", "expected"), [({}, False), ({"YES": "1"}, True)])
def test_without_a_terminal(environ, expected, capsys, monkeypatch):
    """YES=1 is a word for it; without, it is said what is left out and how to get it."""
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert system_deps.agreed(environ) is expected
    assert ("make test YES=1" in capsys.readouterr().out) is not expected


def test_daemons_do_not_start(tmp_path, monkeypatch):
    """Debian's own policy file says no until the end, and a policy of before is there again."""
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o755)
    monkeypatch.setattr(system_deps, "POLICY", policy)
    with system_deps.no_daemon_starts():
        assert subprocess.run([policy], check=False).returncode == 101
        left = policy.read_text()
    assert subprocess.run([policy], check=False).returncode == 104
    # Had it been killed: what it left behind says what the one before says.
    policy.rename(tmp_path / "policy-rc.d.before-firstlight")
    policy.write_text(left.replace(str(os.getpid()), "0"))
    policy.chmod(0o755)
    assert subprocess.run([policy], check=False).returncode == 104
    with system_deps.no_daemon_starts():
        pass
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
