"""Whose an address is: looked up, and decided in Nova's words (metadata-api §3.3, §3.4)."""

import logging
from collections.abc import Callable

from firstlight.concurrency.throttle import ThrottledLog
from firstlight.metadata.http_errors import UNKNOWN_ERROR, HttpError, not_found
from firstlight.sources.ports import Device, Ports

LOG = ThrottledLog(logging.getLogger(__name__))  # guests cause what is said


def find_owners(ports: Ports) -> Callable[[str], tuple[Device, ...] | None]:
    """What finds who is at an address, or at ``provider\\naddress``; None: no such place."""

    def find(key: str) -> tuple[Device, ...] | None:
        provider, separator, address = key.rpartition("\n")
        found = (
            ports.device_at_provider(provider, address)
            if separator
            else ports.device_at_address(address)
        )
        return None if found is None else tuple(found)

    return find


def may_concern(uuid: str) -> Callable[[tuple[Device, ...] | None], bool]:
    """What tells whether a change of this instance may change whose an address is.

    It does where the address was its own, nobody's, or several devices'.
    """

    def concerned(owners: tuple[Device, ...] | None) -> bool:
        return owners is None or len(owners) != 1 or owners[0].id == uuid

    return concerned


def only_provided(key: str, owners: tuple[Device, ...] | None) -> Device:
    provider, _, address = key.rpartition("\n")
    if owners is None:
        raise HttpError(400, f"Could not find any subnets for provider {provider}")
    if len(owners) != 1:
        raise HttpError(
            400,
            f"Expected a single port matching provider {provider} and IP {address}. "
            f"Found {len(owners)}.",
        )
    return owners[0]


def only_addressed(address: str, owners: tuple[Device, ...]) -> Device:
    if not owners:
        raise not_found()
    if len(owners) > 1:
        LOG.error(
            "address %s belongs to several instances: %s",
            address,
            ", ".join(owner.id for owner in owners),
        )
        raise HttpError(500, UNKNOWN_ERROR)
    return owners[0]
