"""An instance by what a person calls it."""

from firstlight.sources import InstanceGone
from firstlight.sources.store import Refused, Store, Stored


def find(store: Store, text: str) -> Stored:
    """The instance with this UUID, or else the only one with this name.

    Raises:
        InstanceGone: there is none.
        Refused: several have that name; the message lists them.
    """
    found = store.read(text.lower())
    if found is not None:
        return found
    named = store.named(text)
    if len(named) > 1:
        which = "\n".join(f"  {one.uuid} of project {one.project_id}" for one in named)
        raise Refused(f"{len(named)} instances are named {text}; say which:\n{which}")
    found = store.read(named[0].uuid) if named else None
    if found is None:
        raise InstanceGone(
            f"no instance has the UUID or the name {text}; `firstlight instance list` shows them"
        )
    return found
