"""What the types of an instance cannot say: addresses, sizes, references. Pure."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator

import msgspec

from firstlight.instance import Instance, Network, Route, Subnet
from firstlight.sources.store.documents.canonical import canonical, solid
from firstlight.sources.store.ec2 import HIGHEST
from firstlight.sources.store.errors import BadDocument, Path, Problem
from firstlight.sources.store.sql.tables import NAME
from firstlight.sources.uuids import is_uuid

_MAC = re.compile("([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
_HOSTNAME = re.compile("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")

Found = Iterator[tuple[Path, str]]


def checked(instance: Instance) -> Instance:
    """The instance with its addresses, MACs and base64 in their one canonical form.

    Raises:
        BadDocument: with every reason why it cannot be one.
    """
    problems = [Problem(path=path, reason=reason) for path, reason in found(instance)]
    if problems:
        raise BadDocument(problems)
    return canonical(instance)


def found(instance: Instance) -> Found:
    """Everything that is wrong, with the path that leads there."""
    yield from _names(instance)
    yield from _images(instance)
    yield from _metadata(instance)
    yield from _user_data(instance)
    yield from _network(instance)
    yield from _devices(instance)
    yield from _text(instance)


def _names(instance: Instance) -> Found:
    if not is_uuid(instance.uuid):
        yield ("uuid",), "not a lower-case UUID"
    for field in ("project_id", "name", "hostname"):
        yield from _name((field,), getattr(instance, field))
    if instance.hostname and not _HOSTNAME.fullmatch(instance.hostname):
        yield ("hostname",), "not a host name: letters, digits, hyphens and dots"
    if len(instance.boot_roles) > NAME:
        yield ("boot_roles",), f"longer than {NAME} characters, where Nova cuts them"
    if instance.reservation_id is not None:
        yield from _name(("reservation_id",), instance.reservation_id)
    if instance.password:
        yield ("password",), "the guest posts it; a document has none"


def _name(path: Path, text: str) -> Found:
    if not text:
        yield path, "empty"
    elif len(text) > NAME:
        yield path, f"longer than {NAME} characters"
    elif not text.isprintable():
        yield path, "has a character that cannot be printed"


def _images(instance: Instance) -> Found:
    for field in ("image", "kernel", "ramdisk"):
        image = getattr(instance, f"{field}_id")
        if image and not is_uuid(image):
            yield (f"{field}_id",), "not a lower-case UUID"
        if not image and getattr(instance.ec2_ids, field, None) is not None:
            yield ("ec2_ids", field), f"there is no {field}_id it could be the number of"
    given = {} if instance.ec2_ids is None else msgspec.structs.asdict(instance.ec2_ids)
    for field, number in given.items():
        if number is not None and not 1 <= number <= HIGHEST:
            yield ("ec2_ids", field), f"not between 1 and {HIGHEST}"


def _metadata(instance: Instance) -> Found:
    for key, value in instance.metadata.items():
        if not 1 <= len(key) <= NAME:
            yield ("metadata", key), f"a key has 1 to {NAME} characters"
        if len(value) > NAME:
            yield ("metadata", key), f"{len(value)} characters; a value has {NAME} at most"


def _user_data(instance: Instance) -> Found:
    if instance.user_data is None:
        return
    try:
        base64.b64decode(solid(instance.user_data), validate=True)
    except (binascii.Error, ValueError):
        yield ("user_data",), "not base64; user_data_text takes plain text"


def _network(instance: Instance) -> Found:
    ports: set[str] = set()
    addresses: set[tuple[str, str]] = set()
    for number, interface in enumerate(instance.interfaces):
        path: Path = ("interfaces", number)
        yield from _name((*path, "port_id"), interface.port_id)
        if interface.port_id in ports:
            yield (*path, "port_id"), "another interface has this port"
        ports.add(interface.port_id)
        if interface.network is not None:
            yield from _name((*path, "network", "id"), interface.network.id)
            yield from _subnets((*path, "network"), interface.network, addresses)


def _subnets(path: Path, network: Network, addresses: set[tuple[str, str]]) -> Found:
    for number, subnet in enumerate(network.subnets):
        here = (*path, "subnets", number)
        try:
            cidr = ipaddress.ip_network(subnet.cidr)
        except ValueError as error:
            yield (*here, "cidr"), f"not a network such as 192.0.2.0/24 ({error})"
            continue
        yield from _subnet(here, subnet, cidr.version)
        for n, address in enumerate(subnet.addresses):
            where = (*here, "addresses", n)
            yield from _fixed((*where, "address"), network.id, address.address, cidr, addresses)
            for f, floating in enumerate(address.floating):
                yield from _ip((*where, "floating", f), floating)


def _fixed(
    path: Path,
    network_id: str,
    text: str,
    cidr: ipaddress.IPv4Network | ipaddress.IPv6Network,
    addresses: set[tuple[str, str]],
) -> Found:
    wrong = list(_ip(path, text, cidr.version))
    if wrong:
        yield from wrong
        return
    address = ipaddress.ip_address(text)
    if address not in cidr:
        yield path, f"{text} is not in the subnet {cidr}"
    if (network_id, str(address)) in addresses:
        yield path, "this instance has it on this network already"
    addresses.add((network_id, str(address)))


def _subnet(path: Path, subnet: Subnet, version: int) -> Found:
    for field in ("gateway", "dhcp_server"):
        text = getattr(subnet, field)
        if text is not None:
            yield from _ip((*path, field), text, version)
    for n, text in enumerate(subnet.dns):
        yield from _ip((*path, "dns", n), text, version)
    for n, route in enumerate(subnet.routes):
        yield from _route((*path, "routes", n), route, version)
    for n, text in enumerate(subnet.service_providers):
        yield from _name((*path, "service_providers", n), text)


def _route(path: Path, route: Route, version: int) -> Found:
    yield from _ip((*path, "gateway"), route.gateway, version)
    try:
        if ipaddress.ip_network(route.cidr).version != version:
            yield (*path, "cidr"), f"not IPv{version} as its subnet is"
    except ValueError as error:
        yield (*path, "cidr"), f"not a network such as 192.0.2.0/24 ({error})"


def _ip(path: Path, text: str, version: int | None = None) -> Found:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        yield path, f"{text!r} is not an IP address"
        return
    if "%" in text:
        yield path, "a zone (%) means nothing outside one host"
    elif version is not None and address.version != version:
        yield path, f"not IPv{version} as its subnet is"


def _devices(instance: Instance) -> Found:
    for number, device in enumerate(instance.devices):
        mac = getattr(device, "mac", None)
        if mac is not None and not _MAC.fullmatch(mac):
            yield ("devices", number, "mac"), "not a MAC address such as fa:16:3e:9c:bf:3d"
        vlan = getattr(device, "vlan", None)
        if vlan is not None and not 0 <= vlan <= 4095:
            yield ("devices", number, "vlan"), "not a VLAN id, 0 to 4095"


def _text(instance: Instance) -> Found:
    try:
        msgspec.json.encode(instance)
    except UnicodeEncodeError:
        yield (), "half of a surrogate pair (\\ud800 to \\udfff) is not text"
