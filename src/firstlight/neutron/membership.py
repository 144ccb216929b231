"""Whose groups are whose: pure. Order and repetitions as Nova's ``security-groups`` has them."""

from collections.abc import Iterable, Mapping

from firstlight.neutron.rows import Group, Membership


def group_ids(ports: Iterable[Membership]) -> list[str]:
    """The ids of all groups of these ports, once each, in the order they first appear."""
    return list(dict.fromkeys(identifier for port in ports for identifier in port.security_groups))


def names(
    instance_ids: Iterable[str], ports: Iterable[Membership], groups: Iterable[Group]
) -> Mapping[str, tuple[str, ...]]:
    """For each instance the names of its ports' groups: port by port, a group as often as it comes.

    A group that Neutron does not show is left out, as Nova leaves it out.
    """
    shown = {group.id: group.shown for group in groups}
    found: dict[str, list[str]] = {instance_id: [] for instance_id in instance_ids}
    for port in ports:
        if port.device_id in found:
            found[port.device_id] += (shown[i] for i in port.security_groups if i in shown)
    return {instance_id: tuple(named) for instance_id, named in found.items()}
