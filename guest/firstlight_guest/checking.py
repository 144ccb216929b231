"""Is what the cloud says of this guest true in this guest? One function for each step."""

import ipaddress
import socket
from typing import Any, Callable, Dict, List, NamedTuple

from .addresses import Link, links, route
from .errors import CouldNotAsk, GuestError, NotThere
from .machine import Machine
from .reaching import IPV4
from .service import Service
from .sources import META_DATA, VENDOR_DATA, Sources, parse_object

OK, FAILED, NOT_HERE = "ok", "FAILED", "-"
NETWORK_DATA = "/openstack/latest/network_data.json"
USER_DATA = "/openstack/latest/user_data"


class Step(NamedTuple):
    """What came of one step, and how to mend it if it failed."""

    name: str
    result: str
    found: str
    mend: str = ""


def walk(machine: Machine, sources: Sources) -> List[Step]:
    """All steps, in the order in which one builds upon the other."""
    assert sources.service is not None
    steps = [
        _attempt("interfaces", lambda: _interfaces(machine)),
        _attempt("route", lambda: _route(machine)),
        _attempt("metadata service", lambda: _service(sources.service)),
        _attempt("config drive", lambda: _drive(sources)),
    ]
    if sources.drive is None and steps[2].result != OK:
        return steps
    return [
        *steps,
        _attempt("meta_data", lambda: _meta_data(sources)),
        _attempt("hostname", lambda: _hostname(sources)),
        *_attempts("address", lambda: _addresses(machine, sources)),
        _attempt("user_data", lambda: _user_data(sources)),
        _attempt("vendor_data", lambda: _vendor_data(sources)),
    ]


def _attempt(name: str, step: Callable[[], Step]) -> Step:
    return _attempts(name, lambda: [step()])[0]


def _attempts(name: str, steps: Callable[[], List[Step]]) -> List[Step]:
    try:
        return steps()
    except (GuestError, OSError) as error:
        return [Step(name, FAILED, str(error), "see the step before")]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        mend = "ask the operator: this is not what Nova's API says"
        return [Step(name, FAILED, f"the answer has another form: {error!r}", mend)]


def _interfaces(machine: Machine) -> Step:
    found = links(machine)
    told = ", ".join(f"{link.name} {' '.join(map(str, link.addresses))}".strip() for link in found)
    if any(link.addresses for link in found):
        return Step("interfaces", OK, told)
    mend = (
        "is the port bound and the guest's network configured? On IBM Z: firstlight-guest network"
    )
    return Step("interfaces", FAILED, told or "there is none", mend)


def _route(machine: Machine) -> Step:
    found = route(machine, IPV4)
    if found:
        return Step("route", OK, found)
    mend = f"DHCP brings a route to {IPV4}; or: ip route add {IPV4}/32 via ROUTER (IPv6 needs none)"
    return Step("route", FAILED, f"there is no route to {IPV4}", mend)


def _service(service: Any) -> Step:
    assert isinstance(service, Service)
    try:
        way = service.find()
        versions = service.get("/openstack").decode("ascii", "replace").split()
    except CouldNotAsk as error:
        mend = "ask the operator for `firstlight check` on the network node or hypervisor"
        return Step("metadata service", FAILED, str(error), mend)
    return Step("metadata service", OK, f"{way}; versions {versions[0]} to {versions[-2]}")


def _drive(sources: Sources) -> Step:
    if sources.drive is None:
        return Step("config drive", NOT_HERE, "this server has none")
    here = parse_object(sources.drive.get(META_DATA), META_DATA).get("uuid")
    try:
        assert sources.service is not None
        there = parse_object(sources.service.get(META_DATA), META_DATA).get("uuid")
    except GuestError:
        there = here
    if here == there:
        return Step("config drive", OK, f"of {here}")
    mend = "the disk was copied from another server: detach its drive, and clean cloud-init"
    return Step("config drive", FAILED, f"of {here}, but the network says {there}", mend)


def _meta_data(sources: Sources) -> Step:
    found = sources.json(META_DATA)
    if isinstance(found.value, dict) and found.value.get("uuid"):
        return Step("meta_data", OK, f"{found.value['uuid']} (from the {found.origin})")
    return Step(
        "meta_data", FAILED, "there is no uuid in it", "ask the operator: this is no answer"
    )


def _hostname(sources: Sources) -> Step:
    given = str(sources.json(META_DATA).value.get("hostname", ""))
    here = socket.gethostname()
    if here in (given, given.partition(".")[0]):
        return Step("hostname", OK, here)
    mend = "cloud-init sets it at the first boot: see /var/log/cloud-init.log, preserve_hostname"
    return Step("hostname", FAILED, f"is {here}, was given as {given}", mend)


def _addresses(machine: Machine, sources: Sources) -> List[Step]:
    try:
        data = sources.json(NETWORK_DATA).value
    except NotThere:
        return [Step("address", NOT_HERE, "there is no network_data.json")]
    here = {link.mac: link for link in links(machine)}
    macs = {
        link["id"]: str(link.get("ethernet_mac_address")).lower() for link in data.get("links", [])
    }
    networks = data.get("networks", [])
    return [_address(network, here, macs) for network in networks] or [
        Step("address", NOT_HERE, "no network is told of")
    ]


def _address(network: Dict[str, Any], here: Dict[str, Link], macs: Dict[str, str]) -> Step:
    name = f"address {network.get('id')}"
    mac = macs.get(network.get("link", ""), "")
    link = here.get(mac)
    if link is None:
        return Step(
            name, FAILED, f"no interface has MAC {mac}", "on IBM Z: firstlight-guest setmac"
        )
    given = network.get("ip_address")
    if not given:
        six = "6" in str(network.get("type"))
        mine = [each for each in link.addresses if (each.version == 6) == six]
        mine = [each for each in mine if not each.is_link_local]
        return Step(
            name, OK if mine else FAILED, _said(link), "" if mine else "see the DHCP client"
        )
    wanted = ipaddress.ip_address(given.partition("/")[0])
    subnet = ipaddress.ip_network(f"{wanted}/{_prefix(network.get('netmask', ''))}", strict=False)
    mine = [each for each in link.addresses if each.ip == wanted]
    if not mine:
        return Step(
            name, FAILED, f"{_said(link)}, should have {given}", "apply the network configuration"
        )
    if mine[0].network != subnet:
        return Step(name, FAILED, f"{mine[0]} should be in {subnet}", "correct the netmask")
    return Step(name, OK, _said(link))


def _prefix(netmask: str) -> int:
    """Nova writes netmasks out, of both families."""
    if netmask.isdigit():
        return int(netmask)
    return bin(int(ipaddress.ip_address(netmask))).count("1")


def _said(link: Link) -> str:
    return f"{link.name} has {', '.join(map(str, link.addresses)) or 'no address'}"


def _user_data(sources: Sources) -> Step:
    try:
        return Step("user_data", OK, f"{len(sources.get(USER_DATA).value)} bytes")
    except NotThere:
        return Step("user_data", NOT_HERE, "none was given")


def _vendor_data(sources: Sources) -> Step:
    try:
        value = sources.json(VENDOR_DATA).value
    except NotThere:
        return Step("vendor_data", NOT_HERE, "there is none")
    silent = sorted(name for name, said in value.items() if said in ({}, None))
    told = ", ".join(sorted(set(value) - set(silent))) or "nothing"
    return Step("vendor_data", OK, told + (f"; empty: {', '.join(silent)}" if silent else ""))
