"""The legacy ``network_config``: a Debian interfaces file for networks flagged *injected*.

Nova's compute service sets the flag where ``[DEFAULT] flat_injected`` is on (metadata-api §1.8).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from pathlib import Path
from typing import Any

from firstlight.sources.contract import SourceUnavailable
from firstlight.sources.nova.records.network import Vif

Values = dict[str, Any]  # what a template is told of one interface, by the names templates use
Render = Callable[[Sequence[Values]], str]

_POINT_TO_POINT = 31  # from this prefix length on a network has no broadcast address

# Which bytes guests get is Nova's default template's to say.
_HEAD = """\
# Injected by Nova on instance boot
#
# This file describes the network interfaces available on your system
# and how to activate them. For more information, see interfaces(5).

# The loopback network interface
auto lo
iface lo inet loopback
"""


class BadTemplate(SourceUnavailable):
    """The operator's template cannot be used; the message says what to do.

    As in Nova, only servers whose file would be made with it are concerned.
    """


def network_config(vifs: Sequence[Vif], render: Render) -> str | None:
    """The file for these interfaces; None if none of them is on an injected, static network."""
    injected = list(_injected(vifs))
    return render(injected) if injected else None


def default(interfaces: Sequence[Values]) -> str:
    """As Nova's own template has it."""
    return _HEAD + "".join(f"\n{_stanza(interface)}" for interface in interfaces)


def template(path: str) -> Render:
    """As the operator's Jinja2 template at `path` has it (``injected_network_template``).

    It is read for each file that is made, as in Nova: most clouds have a template and no server
    that needs one. What is returned raises :class:`BadTemplate`.
    """

    def render(interfaces: Sequence[Values]) -> str:
        ipv6 = any(interface["address_v6"] for interface in interfaces)
        values = {"interfaces": interfaces, "use_ipv6": ipv6, "libvirt_virt_type": None}
        with _refused(path):
            rendered: str = _compiled(path).render(values)
        return rendered

    return render


def try_template(path: str) -> None:
    """Read the template now, to say beforehand what is wrong with it.

    Raises:
        BadTemplate: there is no such file, it is no template, or Jinja2 is not installed.
    """
    with _refused(path):
        _compiled(path)


def _compiled(path: str) -> Any:
    import jinja2

    # Text for /etc/network/interfaces, which has no escapes.
    environment = jinja2.Environment(trim_blocks=True, autoescape=False)  # noqa: S701  text for a file that has no escapes
    return environment.from_string(Path(path).read_text())


@contextmanager
def _refused(path: str) -> Iterator[None]:
    """Whatever an operator's template raises, which may be anything, is a BadTemplate."""
    try:
        yield
    except ImportError as error:
        raise BadTemplate(
            f"[DEFAULT] injected_network_template={path} needs Jinja2: pip install Jinja2, or leave"
            " the option out if the template is Nova's own"
        ) from error
    except Exception as error:
        raise BadTemplate(f"[DEFAULT] injected_network_template={path}: {error}") from error


def _injected(vifs: Sequence[Vif]) -> Iterator[Values]:
    """What is written of each; all that have subnets count for the number in ``ethN``."""
    with_subnets = (vif for vif in vifs if (vif.get("network") or {}).get("subnets"))
    for number, vif in enumerate(with_subnets):
        network = vif["network"]
        if not network.get("meta", {}).get("injected"):
            continue
        v4, v6 = (_first(network["subnets"], version) for version in (4, 6))
        if not _has_dhcp(v4) and not _has_dhcp(v6):
            yield {"name": f"eth{number}", "hwaddress": vif["address"]} | _ipv4(v4) | _ipv6(v6)


def _first(subnets: Sequence[Mapping[str, Any]], version: int) -> Mapping[str, Any] | None:
    return next((s for s in subnets if _net(s).version == version), None)


def _net(subnet: Mapping[str, Any]) -> IPv4Network | IPv6Network:
    return ip_network(subnet["cidr"], strict=False)


def _has_dhcp(subnet: Mapping[str, Any] | None) -> bool:
    return subnet is not None and subnet.get("meta", {}).get("dhcp_server") is not None


def _ipv4(subnet: Mapping[str, Any] | None) -> Values:
    if subnet is None or not subnet["ips"]:
        names = ("address", "netmask", "broadcast", "dns")
        return dict.fromkeys(names) | {"gateway": "", "routes": []}
    net = _net(subnet)
    no_broadcast = net.prefixlen >= _POINT_TO_POINT
    return {
        "address": subnet["ips"][0]["address"],
        "netmask": str(net.netmask),
        "gateway": _gateway(subnet),
        "broadcast": "None" if no_broadcast else str(net.broadcast_address),
        "dns": _dns(subnet),
        "routes": [_route(route) for route in subnet["routes"]],
    }


def _ipv6(subnet: Mapping[str, Any] | None) -> Values:
    if subnet is None or not subnet["ips"]:
        return dict.fromkeys(("address_v6", "netmask_v6", "dns_v6")) | {"gateway_v6": ""}
    return {
        "address_v6": subnet["ips"][0]["address"],
        "netmask_v6": _net(subnet).prefixlen,
        "gateway_v6": _gateway(subnet),
        "dns_v6": _dns(subnet),
    }


def _gateway(subnet: Mapping[str, Any]) -> str:
    gateway: str = subnet["gateway"]["address"] if subnet.get("gateway") else ""
    return gateway


def _dns(subnet: Mapping[str, Any]) -> str:
    return " ".join(server["address"] for server in subnet["dns"])


def _route(route: Mapping[str, Any]) -> Values:
    net = ip_interface(route["cidr"])
    return {
        "gateway": route["gateway"]["address"],
        "cidr": route["cidr"],
        "network": str(net.ip),
        "netmask": str(net.network.netmask),
    }


def _stanza(interface: Values) -> str:
    lines = [f"auto {interface['name']}"]
    if interface["address"]:
        lines += _lines(interface, "inet", "", ("address", "netmask", "broadcast"))
    if interface["address_v6"]:
        lines += _lines(interface, "inet6", "_v6", ("address", "netmask"))
    return "".join(f"{line}\n" for line in lines)


def _lines(interface: Values, family: str, suffix: str, names: Sequence[str]) -> Iterator[str]:
    yield f"iface {interface['name']} {family} static"
    yield f"    hwaddress ether {interface['hwaddress']}"
    yield from (f"    {name} {interface[name + suffix]}" for name in names)
    if interface["gateway" + suffix]:
        yield f"    gateway {interface['gateway' + suffix]}"
    if interface["dns" + suffix]:
        yield f"    dns-nameservers {interface['dns' + suffix]}"
