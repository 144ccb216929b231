"""One real chain, from a guest to the metadata service, and each of its links broken in turn: both
checks, the operator's and the guest's, name the step that fails and say how to mend it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from support.cloud.store_samples import interface, server
from support.relay.agent_process import FIRSTLIGHT, Metadata, metadata_service
from support.relay.namespaces import MAC, METADATA, Namespace
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

SOAK = bool(os.environ.get("FIRSTLIGHT_SOAK"))
GUEST_TOOLS = Path(__file__).resolve().parents[3] / "guest"
Steps = dict[str, tuple[str, str]]  # by name: the verdict, and all that was said


@dataclass
class Chain:
    """A guest, its network's namespace, broker and proxy, the metadata service."""

    metadata: Metadata
    host: RelayHost
    guest: Namespace
    serving: Namespace

    def answered(self) -> bool:
        """Whether the guest gets its metadata, before long."""
        url = f"http://{METADATA}/openstack/latest/meta_data.json"
        return eventually(lambda: self.guest.curl(url).stdout.startswith(b"{"), PATIENCE)

    def operators(self) -> Steps:
        """What `firstlight check proxy` finds."""
        config = self.host.home / "relay.conf"
        done = _run([FIRSTLIGHT, "check", "proxy", "--json", "--config-file", config])
        said = json.loads(done.stdout)
        assert done.returncode == (0 if said["ok"] else 1)
        return {step["name"]: (step["verdict"], json.dumps(step)) for step in said["steps"]}

    def guests(self) -> Steps:
        """What `firstlight-guest check` finds in the guest, which has a /sys of its own."""
        tools = f"{sys.executable} -m firstlight_guest check --json --wait 1"
        script = f"mount -t sysfs sysfs /sys && exec {tools}"
        command = ["unshare", "--mount", "sh", "-ec", script]
        steps = json.loads(_run(self.guest._inside(*command)).stdout)
        return {step["name"]: (step["result"], json.dumps(step)) for step in steps}


def _run(command: list[Any]) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PYTHONPATH": str(GUEST_TOOLS)}
    return subprocess.run(command, capture_output=True, text=True, env=environ)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    network = str(uuid4())
    card = replace(interface("192.0.2.10", "192.0.2.0/24", network), mac=MAC)
    known = server(1, hostname=socket.gethostname(), interfaces=(card,))
    with metadata_service(tmp_path_factory.mktemp("metadata"), known) as metadata:
        more = metadata.asked_by_relay()
        with RelayHost(user=0, more=more, agent_socket="", resolver="store") as host:
            guest = host.networks.isolated(f"qdhcp-{network}")
            chain = Chain(metadata, host, guest, Namespace(host.directory, f"qdhcp-{network}"))
            assert chain.answered(), host.logs()
            yield chain


def test_all_is_well(chain: Chain) -> None:
    """Nothing is broken, so no step says that anything is."""
    assert {verdict for verdict, _ in chain.operators().values()} == {"ok"}
    assert {result for result, _ in chain.guests().values()} <= {"ok", "-"}


@contextmanager
def no_proxy(chain: Chain) -> Iterator[None]:
    chain.host.proxy.end()
    try:
        yield
    finally:
        chain.host.proxy.start()


@contextmanager
def nobody_on_port_80(chain: Chain) -> Iterator[None]:
    chain.host.proxy.end()
    chain.host.broker.end()
    try:
        yield
    finally:
        chain.host.broker.start()
        chain.host.proxy.start()


@contextmanager
def no_broker(chain: Chain) -> Iterator[None]:
    chain.host.broker.end()
    assert eventually(lambda: not chain.host.level(), PATIENCE)
    try:
        yield
    finally:
        chain.host.broker.start()


@contextmanager
def no_namespace(chain: Chain) -> Iterator[None]:
    """Its name is gone; it is there again, as itself, afterwards."""
    kept = chain.host.home / "kept"
    kept.touch()
    subprocess.run(["mount", "--bind", chain.serving.path, kept], check=True)
    chain.serving.remove()
    try:
        yield
    finally:
        chain.serving.path.touch()
        subprocess.run(["mount", "--bind", kept, chain.serving.path], check=True)
        subprocess.run(["umount", kept], check=True)


@contextmanager
def no_address(chain: Chain) -> Iterator[None]:
    chain.serving.run(f"ip addr del {METADATA}/32 dev tap0; ip -6 addr flush dev tap0")
    try:
        yield
    finally:
        chain.serving.run(f"ip addr add {METADATA}/32 dev tap0")


@contextmanager
def no_route(chain: Chain) -> Iterator[None]:
    chain.guest.run(f"ip route del {METADATA}/32")
    try:
        yield
    finally:
        chain.guest.run(f"ip route add {METADATA}/32 via 192.0.2.2")


@contextmanager
def another_secret(chain: Chain) -> Iterator[None]:
    config = chain.host.home / "relay.conf"
    right = config.read_text()
    config.write_text(right.replace("s3cret", "other"))
    chain.host.proxy.end()
    chain.host.proxy.start()
    assert eventually(chain.host.level, PATIENCE)
    try:
        yield
    finally:
        config.write_text(right)
        chain.host.proxy.end()
        chain.host.proxy.start()


@contextmanager
def no_metadata_service(chain: Chain) -> Iterator[None]:
    chain.metadata.process.stop()
    chain.guest.ask()  # who asks shows it at once; nobody asking, it is noticed half a minute later
    assert eventually(lambda: chain.host.ready().get("ready") is False, PATIENCE)
    try:
        yield
    finally:
        chain.metadata.process.start()


@dataclass
class Broken:
    """A link, and by either check the step that names it, with words of what is said there."""

    link: Callable[[Chain], Any]
    operators: dict[str, tuple[str, ...]]
    guests: dict[str, tuple[str, ...]] | None  # None: the guest is not asked


ASK_THE_OPERATOR = "ask the operator for `firstlight check`"
LINKS = [
    Broken(
        no_proxy,
        {"proxy": ("broken", "nobody answers at", "systemctl status firstlight-proxy")},
        # Each way there is takes a connection, and is waited for ten seconds.
        {"metadata service": ("FAILED", "then nothing answers", ASK_THE_OPERATOR)}
        if SOAK
        else None,
    ),
    Broken(
        nobody_on_port_80,
        {
            "proxy": ("broken", "nobody answers at"),
            "namespaces": ("broken", "nobody listens on port 80", "do firstlight-broker and"),
        },
        {"metadata service": ("FAILED", "nothing answered", ASK_THE_OPERATOR)},
    ),
    Broken(
        no_broker,
        {"proxy": ("warning", "is it running", "systemctl status firstlight-broker")},
        {},
    ),
    Broken(
        no_namespace,
        {"namespaces": ("warning", "none of qdhcp", "do Neutron's agents run?")},
        {"metadata service": ("FAILED", "nothing answered", ASK_THE_OPERATOR)},
    ),
    Broken(
        no_address,
        {"namespaces": ("warning", f"no interface has {METADATA}", "enable_isolated_metadata")},
        {"metadata service": ("FAILED", "nothing answered", ASK_THE_OPERATOR)},
    ),
    Broken(no_route, {}, {"route": ("FAILED", "there is no route to", "DHCP brings a route")}),
    Broken(
        another_secret,
        {
            "metadata service": (
                "broken",
                "its secret is another than this one",
                "[DEFAULT] metadata_proxy_shared_secret",
                "set it to the value of [neutron] metadata_proxy_shared_secret there",
            )
        },
        {"metadata service": ("FAILED", "403", ASK_THE_OPERATOR)},
    ),
    Broken(
        no_metadata_service,
        {
            "proxy": ("broken", "metadata service: ", "see the step of that name"),
            "metadata service": ("broken", "nobody answers at http://", "is the service up"),
        },
        {"metadata service": ("FAILED", "503", ASK_THE_OPERATOR)},
    ),
]


@pytest.mark.parametrize("broken", LINKS, ids=[each.link.__name__ for each in LINKS])
def test_a_broken_link(chain: Chain, broken: Broken) -> None:
    """The steps at fault say what it is and what to do, and no other step complains; mended, the
    guest gets its metadata again."""
    with broken.link(chain):
        complains(chain.operators(), broken.operators)
        if broken.guests is not None:
            complains(chain.guests(), broken.guests)
    assert chain.answered(), chain.host.logs()
    assert eventually(lambda: chain.host.level() and chain.host.ready()["ready"], PATIENCE)


def complains(found: Steps, expected: dict[str, tuple[str, ...]]) -> None:
    """Those steps complain in those words, and no others."""
    complaints = {name for name, (verdict, _) in found.items() if verdict not in ("ok", "-")}
    assert complaints == expected.keys(), found
    for name, (verdict, *words) in expected.items():
        assert found[name][0] == verdict
        assert [word for word in words if word not in found[name][1]] == [], found[name]
