"""What the relay does for a guest, for one instance on loopback: ask in its name, signed."""

from collections.abc import Mapping

from firstlight.httpd.protocol.messages import Handler, Request
from firstlight.instance import Instance
from firstlight.metadata.deferred import Reply
from firstlight.metadata.identity import sign

# Of what a guest sends, only these pass (design: the relay): how long a body is, and what the
# guest calls itself.
_PASSED = (b"content-length", b"transfer-encoding", b"user-agent")


def front(handler: Handler, instance: Instance, secret: str) -> Handler:
    """A handler for a listener that stands for `instance`: whoever asks there, is it."""
    identity = {
        b"x-instance-id": instance.uuid.encode(),
        b"x-instance-id-signature": sign(secret, instance.uuid),
        b"x-tenant-id": instance.project_id.encode(),
        b"x-forwarded-for": _address(instance).encode(),
        b"accept": b"*/*",  # as Neutron's agent sends it
    }

    def handle(request: Request) -> Reply:
        request.subject = instance.uuid
        return handler(_signed(request, identity))

    return handle


def _signed(request: Request, identity: Mapping[bytes, bytes]) -> Request:
    passed = {name: request.headers[name] for name in _PASSED if name in request.headers}
    return Request(
        request.method,
        request.target,
        {**passed, **identity},
        request.body,
        peer=request.peer,
        listener=request.listener,
        id=request.id,
    )


def _address(instance: Instance) -> str:
    for interface in instance.interfaces:
        for subnet in interface.network.subnets if interface.network else ():
            for fixed in subnet.addresses:
                return fixed.address
    return "127.0.0.1"
