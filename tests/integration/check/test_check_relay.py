"""`firstlight check proxy` finds what is broken between the namespaces and the metadata service."""

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from oslo_config import cfg

from firstlight.check.step import StepState
from firstlight.check.steps import neutrons_files
from firstlight.check.walk import walk
from support.relay.namespaces import Networks
from support.relay.relay_host import PATIENCE, RelayHost
from support.servers.databases import eventually

FIRSTLIGHT = Path(sys.executable).parent / "firstlight"


@pytest.fixture(scope="module")
def host():
    with RelayHost() as running:
        yield running


def check(host, *arguments):
    """By step, its verdict and what it found."""
    command = [FIRSTLIGHT, "check", "proxy", "--json", "--config-file", host.home / "relay.conf"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert done.returncode == (0 if said["ok"] else 1)
    return {step["name"]: (step["verdict"], json.dumps(step)) for step in said["steps"]}


def test_all_is_well(host):
    """Where it works, every step says so."""
    network = str(uuid4())
    guest = host.networks.isolated(f"qdhcp-{network}")
    assert eventually(lambda: network in guest.ask(), PATIENCE), host.logs()
    found = check(host)
    assert {verdict for verdict, _ in found.values()} == {"ok"}, found
    assert "namespaces" in found


def test_nobody_listens_and_no_address(host):
    """Without broker and proxy: which namespace has no listener, and which no address."""
    host.broker.end()
    host.proxy.end()
    listens, bare = str(uuid4()), str(uuid4())
    networks = Networks(host.directory)
    networks.isolated(f"qdhcp-{listens}")
    networks.namespace(f"qdhcp-{bare}")
    networks.namespace(f"qrouter-{listens}")
    try:
        found = check(host)
        verdict, said = found["namespaces"]
        assert verdict == "broken"
        assert f"qdhcp-{listens}: nobody listens on port 80" in said
        assert f"qrouter-{listens}: nobody listens on port 9697" in said
        assert f"qdhcp-{bare}: no interface has 169.254.169.254" in said
        assert found["proxy"][0] == "broken"
        assert check(host, "--before-start").keys() == {
            "configuration",
            "log",
            "addresses",
            "agent socket",
        }
    finally:
        networks.remove()
        host.broker.start()
        host.proxy.start()
        assert eventually(host.level, PATIENCE)


def test_somebodys_agent_is_away(host, tmp_path):
    """Where Neutron's agent is to answer, and does not, that is the step which is broken."""
    config = tmp_path / "relay.conf"
    config.write_text(
        (host.home / "relay.conf")
        .read_text()
        .replace(f"agent_socket = {host.home}/agent", f"agent_socket = {tmp_path}/nobody")
    )
    command = [FIRSTLIGHT, "check", "proxy", "--json", "--config-file", config]
    said = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    [broken] = [step for step in said["steps"] if step["verdict"] == "broken"]
    assert broken["name"] == "agent socket"
    [finding] = broken["findings"]
    assert f"{tmp_path}/nobody" in finding["said"]
    assert finding["place"]["option"] == "[relay] agent_socket"
    assert "is Neutron's metadata agent running" in finding["remedy"]


def findings(tmp_path, *, dhcp="", l3="", service="", secret="s3cret"):
    """What is found in Neutron's and Nova's files of this content."""
    conf = cfg.ConfigOpts()
    conf.register_opts(
        [
            cfg.StrOpt("metadata_proxy_shared_secret", default=secret),
            cfg.PortOpt("metadata_port", default=9697),
        ]
    )
    conf.register_opts(
        [
            cfg.StrOpt("agent_socket", default=""),
            cfg.ListOpt("namespaces", default=["qdhcp", "qrouter"]),
        ],
        "relay",
    )
    conf([])
    files = {name: tmp_path / name for name in ("dhcp", "l3", "service")}
    for (name, file), text in zip(files.items(), (dhcp, l3, service), strict=True):
        file.write_text(text)
        assert name
    steps = neutrons_files.steps(
        conf, dhcp=files["dhcp"], l3=files["l3"], services=(files["service"],)
    )
    return {one.name: one for one in walk(steps)}


def test_neutrons_files(tmp_path):
    """The option at fault is named, with its file: isolated metadata, port, proxy, secret."""
    good = findings(
        tmp_path,
        dhcp="[DEFAULT]\nforce_metadata = true\n",
        service="[neutron]\nservice_metadata_proxy=true\nmetadata_proxy_shared_secret = s3cret\n",
    )
    assert {one.verdict for one in good.values()} == {StepState.OK}
    bad = findings(
        tmp_path,
        l3="[DEFAULT]\nmetadata_port = 9000\n",
        service="[neutron]\nmetadata_proxy_shared_secret = other\n",
    )
    assert bad["DHCP agent's file"].findings[0].place.option == "[DEFAULT] enable_isolated_metadata"
    assert bad["L3 agent's file"].findings[0].place.option == "[DEFAULT] metadata_port"
    options = [finding.place.option for finding in bad["metadata service's file"].findings]
    assert options == [
        "[neutron] service_metadata_proxy",
        "[neutron] metadata_proxy_shared_secret",
    ]
    off = findings(tmp_path, l3="[DEFAULT]\nenable_metadata_proxy = false\n")
    assert off["L3 agent's file"].verdict is StepState.WARNING
