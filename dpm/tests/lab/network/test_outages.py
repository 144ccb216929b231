"""Neutron's agent over an outage of what it talks to Neutron by."""

import time

from cloud.walk import PATIENCE
from network_site import Site
from support.servers.databases import eventually


def test_the_bus_is_lost(site: Site) -> None:
    """Whatever NICs do while RabbitMQ is away, ports become what the machine is when it is back,
    and the agent is alive again."""
    names = ("stays", "goes", "comes", "made anew")
    ports = {name: site.port() for name in names}
    nics = {name: site.plug(port) for name, port in ports.items() if name != "comes"}
    for name in nics:
        assert site.becomes(ports[name], "ACTIVE")
    site.broker.stop()
    try:
        nics["goes"].delete()
        nics["made anew"].delete()
        time.sleep(3)  # so that the agent has seen it gone
        site.plug(ports["comes"])
        site.plug(ports["made anew"])
        assert eventually(lambda: not site.agent("sub1")["alive"], PATIENCE)
    finally:
        site.broker.start()
    assert eventually(lambda: site.agent("sub1")["alive"], PATIENCE), site.agents["sub1"].said()
    assert eventually(lambda: site.agent("old")["alive"], PATIENCE), site.agents["old"].said()
    for name in ("stays", "comes", "made anew"):
        assert site.becomes(ports[name], "ACTIVE"), name
    assert site.becomes(ports["goes"], "DOWN")
    site.passes("sub1")
    there = {name: site.status(port) for name, port in ports.items()}
    assert there == {name: "DOWN" if name == "goes" else "ACTIVE" for name in names}
    assert "has just been revived" in site.agents["sub1"].log.read_text()
