"""What vendor data wants: for each physical port's GUID, the GUIDs of its virtual functions."""

import re
from typing import Any, Dict, List

from ..errors import GuestError

PROVIDER = "mlnx_sriov"
_GUID = re.compile(r"[0-9a-f]{16}")
_MOST = 4096  # virtual functions; a card has at most a few hundred


class BadData(GuestError):
    """The provider's answer is not what it should be: the cloud's operator must mend it."""


def wanted(data: Any) -> Dict[str, List[str]]:
    """The wish, with GUIDs of 16 lower-case hexadecimal digits; empty if SR-IOV is off.

    Args:
        data: the provider's answer: `enable_sriov`, `physical_guids`, and `virtual_guids`, one list
            for each physical GUID. With `ports`, a list of such objects, one for each Neutron port.

    Raises:
        BadData: it is something else.
    """
    if not isinstance(data, dict):
        raise BadData(f"{PROVIDER} should be an object")
    ports = data.get("ports", [data])
    if not isinstance(ports, list) or not all(isinstance(port, dict) for port in ports):
        raise BadData(f"{PROVIDER}: ports should be a list of objects")
    wishes: Dict[str, List[str]] = {}
    for port in ports:
        for physical, virtual in _of_port(port).items():
            if wishes.setdefault(physical, virtual) != virtual:
                raise BadData(f"{PROVIDER}: two ports want different things of {physical}")
    _check_unique([guid for guids in wishes.values() for guid in guids])
    return wishes


def _of_port(port: Dict[str, Any]) -> Dict[str, List[str]]:
    if port.get("enable_sriov") is not True:
        return {}
    physical, virtual = port.get("physical_guids"), port.get("virtual_guids")
    if not isinstance(physical, list) or not isinstance(virtual, list):
        raise BadData(f"{PROVIDER}: physical_guids and virtual_guids should be lists")
    if len(physical) != len(virtual):
        raise BadData(
            f"{PROVIDER}: {len(physical)} physical_guids, but {len(virtual)} virtual_guids"
        )
    if not all(isinstance(guids, list) for guids in virtual):
        raise BadData(f"{PROVIDER}: virtual_guids should be a list of lists")
    return {guid(name): [guid(each) for each in guids] for name, guids in zip(physical, virtual)}


def guid(text: Any) -> str:
    """A GUID in its plain form.

    Raises:
        BadData: it is none.
    """
    plain = text.replace(":", "").lower() if isinstance(text, str) else ""
    if not _GUID.fullmatch(plain):
        raise BadData(f"{str(text)[:40]!r} is no GUID: 16 hexadecimal digits")
    return plain


def _check_unique(guids: List[str]) -> None:
    if len(guids) > _MOST:
        raise BadData(f"{PROVIDER}: {len(guids)} virtual functions are more than {_MOST}")
    if len(set(guids)) != len(guids):
        raise BadData(f"{PROVIDER}: a virtual GUID is there twice")
