"""``password``: the guest stores one, once, encrypted with its own key (metadata-api §1.10)."""

from collections.abc import Sequence

from firstlight.httpd.protocol.messages import Request, Response
from firstlight.instance import Instance
from firstlight.metadata.http_errors import CONFLICT, HttpError
from firstlight.sources import InstanceGone, PasswordSet, Source

LIMIT = 1020  # bytes; Nova keeps four chunks of 255 characters
_TYPE = b"text/html; charset=UTF-8"


def is_password(path: Sequence[str]) -> bool:
    """Whether the path is ``openstack/VERSION/password``."""
    return len(path) == 3 and path[0] == "openstack" and path[2] == "password"


def posted_password(request: Request, instance: Instance) -> str:
    """What a request with any method but GET wants stored. No database is asked.

    Raises:
        HttpError: 400 for another method, a missing length, too much or not text; 409 if it is too
            much and one is known to be set.
    """
    if request.method != "POST":
        raise HttpError(400, "GET and POST only are supported.")
    if not {b"content-length", b"transfer-encoding"} & request.headers.keys():
        raise HttpError(400, "Content-Length header is missing from request.")
    if len(request.body) > LIMIT:
        # "Already set" is said before "too large".
        raise (
            HttpError(409, CONFLICT)
            if instance.password
            else HttpError(400, "Request is too large.")
        )
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise HttpError(400, "The password is not UTF-8 text.") from error


def store_password(password: str, instance: Instance, source: Source) -> Response:
    """Store it, and answer. Blocks: it writes.

    Whether one is set already is asked of the source, not of what is remembered.

    Raises:
        HttpError: 409 if one is set, 400 if the instance is gone.
    """
    try:
        source.set_password(instance.uuid, password)
    except PasswordSet as error:
        raise HttpError(409, CONFLICT) from error
    except InstanceGone as error:
        raise HttpError(400, f"Instance {instance.uuid} could not be found.") from error
    return Response(200, b"", _TYPE)
