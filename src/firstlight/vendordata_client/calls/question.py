"""What is asked about one instance: of every target the same."""

import hashlib
from typing import NamedTuple

from firstlight.instance import Instance
from firstlight.vendordata_client.calls import request


class Question(NamedTuple):
    """`digest` is of all that is sent: two instances never share one, as the UUID is in it."""

    uuid: str
    body: bytes
    digest: bytes


def about(instance: Instance) -> Question:
    """The question about `instance` as it is now."""
    body = request.body(instance)
    return Question(instance.uuid, body, hashlib.sha256(body).digest())
