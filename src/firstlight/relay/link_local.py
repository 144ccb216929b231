"""Link-local IPv6 addresses made from a MAC (modified EUI-64, RFC 4291 appendix A)."""

from ipaddress import IPv6Address

_FLIP = 0x02  # the universal/local bit


def mac_of(address: IPv6Address) -> str | None:
    """The MAC such an address is made from; None: it is made otherwise (RFC 7217, by hand)."""
    interface = address.packed[8:]
    if not address.is_link_local or interface[3:5] != b"\xff\xfe":
        return None
    mac = bytes((interface[0] ^ _FLIP, *interface[1:3], *interface[5:]))
    return mac.hex(":")


def address_of(mac: str) -> IPv6Address:
    """The link-local address that a port with this MAC gives itself."""
    one, two, three, four, five, six = bytes.fromhex(mac.replace(":", ""))
    interface = bytes((one ^ _FLIP, two, three, 0xFF, 0xFE, four, five, six))
    return IPv6Address(b"\xfe\x80" + bytes(6) + interface)
