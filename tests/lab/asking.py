"""Ask a metadata service over a real connection, exactly the bytes that are meant."""

import hashlib
import hmac
import http.client
import socket
from collections.abc import Iterable
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Reply:
    """What came back; `status` is None if the connection was closed without a word.

    That is uWSGI's form of an exception nobody caught; under gunicorn it is a bare 500.
    """

    status: int | None
    content_type: str | None = None
    body: bytes = b""


UNANSWERED = Reply(None)


def signature(secret: str, what: str) -> str:
    """The proof of knowing `secret` that Neutron's agents send (metadata-api §3.2)."""
    return hmac.new(secret.encode(), what.encode(), hashlib.sha256).hexdigest()


def signed(instance: str, project: str, secret: str, requester: str | None) -> dict[str, str]:
    """The headers of Neutron's agent for a request of this instance."""
    headers = {
        "X-Instance-ID": instance,
        "X-Tenant-ID": project,
        "X-Instance-ID-Signature": signature(secret, instance),
    }
    return headers if requester is None else {**headers, "X-Forwarded-For": requester}


class Client:
    """One kept-alive connection; a new one where the service has closed it.

    `over` is the connection for one exchange, if it is there already.
    """

    def __init__(self, port: int, source: str = HOST, *, over: socket.socket | None = None) -> None:
        self._connection = http.client.HTTPConnection(
            HOST, port, timeout=60, source_address=(source, 0)
        )
        if over is not None:
            self._connection.sock = over

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def ask(
        self,
        path: str,
        headers: Iterable[tuple[str, str]],
        *,
        method: str = "GET",
        body: bytes | None = None,
        length: bool = True,
    ) -> Reply:
        """One exchange. Nothing but Host, `headers` and (`length`) Content-Length is sent."""
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            self._connection.putheader(name, value.encode())
        if body is not None and length:
            self._connection.putheader("Content-Length", str(len(body)))
        self._connection.endheaders(body if length else None)
        try:
            return self._reply()
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()
            return UNANSWERED

    def _reply(self) -> Reply:
        response = self._connection.getresponse()
        body = response.read()
        if response.will_close:
            self._connection.close()
        return Reply(response.status, response.headers.get("Content-Type"), body)
