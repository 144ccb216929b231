"""What becomes of an instance when another document takes its place. Pure."""

import msgspec

from firstlight.instance import Instance
from firstlight.sources.store.errors import Refused

# A server has these from its first boot to its end; a document may leave out the last two.
_LASTING = {
    "uuid": "is its name here",
    "project_id": "a server cannot change hands",
    "reservation_id": "made when it was added",
    "boot_roles": "the roles of the user who booted it, as they were then",
}


def rebuilt(old: Instance, new: Instance) -> Instance:
    """`new`, with what a server keeps for life taken from `old`.

    Raises:
        Refused: `new` has another value for something that lasts.
    """
    for field, reason in _LASTING.items():
        before, after = getattr(old, field), getattr(new, field)
        if after and after != before:
            raise Refused(
                f"{field} of {old.uuid} never changes ({reason}):"
                f" it is {before!r} and cannot become {after!r}"
            )
    # Numbers that were copied along belong to the old images; others are an import.
    numbers = None if new.ec2_ids == old.ec2_ids else new.ec2_ids
    return msgspec.structs.replace(
        new, reservation_id=old.reservation_id, boot_roles=old.boot_roles, ec2_ids=numbers
    )
