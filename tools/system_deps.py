"""Install, from Debian, the servers and clients that the tests use.

``tools/system_deps.py`` installs what is missing, as root. With ``--offer``, as `make test` calls
it, that is done where YES=1 or CI=true say so or a terminal agrees; elsewhere it says what is
missing, and that the tests of it skip. Exit code 1: it was to install, and could not.

No daemon is started or enabled by it, and none that runs is disturbed: where a real Nova, Neutron,
MariaDB or RabbitMQ runs, nothing is installed.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

# What each is for; packages that another one needs are apt's business.
PACKAGES = {
    "the environments": "python3-venv git",
    "guests and their networks": "curl iproute2 iptables",
    "peers and load": "nginx-light wrk haproxy",
    "services as deployment tools run them": ("apache2 libapache2-mod-wsgi-py3 python3-systemd"),
    "what input costs, in instructions; a core for each": "valgrind util-linux",
    "databases and caches": "mariadb-server postgresql memcached redis-server",
    "Nova's notifications": "rabbitmq-server",
    "the relay on OVN: its databases, northd, a chassis": "openvswitch-switch ovn-central ovn-host",
    "Neutron's own agents, and what watches them": "dnsmasq-base radvd conntrack procps",
    "config drives: reading them back, Nova's way of making them": (
        "genisoimage xorriso mtools dosfstools"
    ),
    "a guest that mounts them": "qemu-system-x86 busybox-static kmod linux-image-cloud-amd64",
    "a machine with nothing on it": "mmdebstrap",
    "the guest tools: a sysfs that behaves, judges of what ships": (
        "libfuse3-3 shellcheck systemd udev openssl openssh-client e2fsprogs"
    ),
}
UNITS = Path("/etc/systemd/system")
POLICY = Path("/usr/sbin/policy-rc.d")


class NotInstalled(Exception):
    """The packages are not there as they should be; the message says why."""


def main(arguments: list[str]) -> int:
    """Install, or offer to; returns the exit code."""
    if not Path("/etc/debian_version").exists():
        return stop("this is not Debian; tests of servers that are not installed skip")
    missing = not_installed()
    if not missing:
        return 0
    print(f"missing of Debian's packages: {' '.join(missing)}", flush=True)
    try:
        if arguments != ["--offer"] or agreed(os.environ):
            refuse_beside_services()
            install(missing)
    except NotInstalled as reason:
        print(f"not installed: {reason}", file=sys.stderr)
        return 1
    return 0


def stop(reason: str) -> int:
    """Say why nothing is done, which is no failure."""
    print(reason, flush=True)
    return 0


def not_installed() -> list[str]:
    """The packages that dpkg does not have."""
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"]
    told = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout
    there = {line.split()[0] for line in told.splitlines() if line.endswith(" installed")}
    return [name for names in PACKAGES.values() for name in names.split() if name not in there]


def agreed(environ: Mapping[str, str]) -> bool:
    """Whether they shall be installed; if not, what follows from it has been said."""
    if os.geteuid() != 0:
        print("tests that need them skip; as root, `make test` installs them")
    elif environ.get("YES") == "1" or environ.get("CI") == "true":
        return True
    elif sys.stdin.isatty() and sys.stdout.isatty():
        return input("Install them? No daemon is started or enabled. [Y/n] ").lower() in ("", "y")
    else:
        print("tests that need them skip; `make test YES=1` installs them")
    return False


def refuse_beside_services() -> None:
    """An installation may upgrade what a service that runs is using.

    Raises:
        NotInstalled: one of OpenStack's services, MariaDB or RabbitMQ runs on this machine.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if service := service_of(process.read_text(errors="replace").split("\0")):
                found.append(f"{service} (process {process.parent.name})")
    if found:
        raise NotInstalled(f"there runs {', '.join(found)}")


def service_of(words: list[str]) -> str:
    """The service that a process is, by its command line; empty if it is none of those.

    Those that the tests start, in a directory or an environment of theirs, are none.
    """
    line = " ".join(words)
    if re.search("/firstlight[-/]|/pytest-", line):
        return ""
    program, *scripts = (Path(word.split(": ")[0]).name for word in words if word[:1] != "-")
    name = scripts[0] if scripts and re.match(r"python|(ba|da)?sh$", program) else program
    if re.fullmatch(r"(nova|neutron)-[a-z-]+|mariadbd|mysqld|rabbitmq-server", name):
        return name
    if program == "beam.smp" and "rabbit" in line:
        return "rabbitmq-server"
    if re.match(r"uwsgi|apache2|httpd|gunicorn", program):
        found = re.search(r"\b(nova|neutron)[-._](api|wsgi|metadata|server)[-._a-z]*", line)
        return found[0] if found else ""
    return ""


def install(packages: list[str]) -> None:
    """Install them; daemons are neither started nor enabled.

    Raises:
        NotInstalled: not root, or apt-get failed, which has said why.
    """
    if os.geteuid() != 0:
        raise NotInstalled("packages are installed by root")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "--quiet", "--quiet"]
    units, scripts = enabled_units(), enabled_scripts()
    with no_daemon_starts():
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            if subprocess.run([*apt, *words], env=environ, check=False).returncode != 0:
                raise NotInstalled(f"apt-get {words[0]} failed")
    disable(enabled_units() - units, enabled_scripts() - scripts)


def enabled_units() -> set[str]:
    """The units that start with the machine, as links below systemd's directory say."""
    links = (link for kind in ("wants", "requires") for link in UNITS.glob(f"*.{kind}/*"))
    return {link.name for link in links if link.is_symlink()}


def enabled_scripts() -> set[str]:
    """The scripts that an init like System V's starts with the machine."""
    return {link.name[3:] for link in Path("/etc").glob("rc[2-5].d/S[0-9][0-9]*")}


def disable(units: set[str], scripts: set[str]) -> None:
    """Let these start no more with the machine; systemd's own units stay as they are.

    Raises:
        NotInstalled: one cannot be disabled; all packages are installed.
    """
    commands = [["update-rc.d", script, "disable"] for script in sorted(scripts)]
    foreign = sorted(unit for unit in units if not is_systemds(unit))
    if foreign:
        commands.append(["systemctl", "--quiet", "--no-reload", "disable", *foreign])
    for command in commands:
        if subprocess.run(command, check=False).returncode != 0:
            raise NotInstalled(f"all are installed, but this failed: {' '.join(command)}")


def is_systemds(unit: str) -> bool:
    """Whether systemd's own package has it."""
    found = subprocess.run(
        ["dpkg-query", "--search", f"*/systemd/system/{unit}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return found.stdout.startswith("systemd:")


@contextmanager
def no_daemon_starts() -> Iterator[None]:
    """Debian's policy for init scripts says 101, "not allowed", until the block ends.

    It says so only while this process lives: should it be killed, the file does no harm.
    """
    signal.signal(signal.SIGTERM, ended)
    before = POLICY.with_name("policy-rc.d.before-firstlight")
    if POLICY.is_file() and "tools/system_deps.py" not in POLICY.read_text(errors="replace"):
        POLICY.rename(before)
    made = POLICY.with_name("policy-rc.d.new")
    made.write_text(
        "#!/bin/sh\n# Made by Firstlight's tools/system_deps.py, for as long as it runs.\n"
        f"[ -d /proc/{os.getpid()} ] && exit 101\n"
        f'[ -x {before} ] && exec {before} "$@"\nexit 0\n'
    )
    made.chmod(0o755)
    made.rename(POLICY)
    try:
        yield
    finally:
        POLICY.unlink()
        if before.exists():
            before.rename(POLICY)


def ended(*_: object) -> NoReturn:
    """SIGTERM: what was put aside is put back on the way out."""
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
