"""The TLS that a listener speaks."""

import ssl


def server_context(cert: str, key: str, ca: str | None = None) -> ssl.SSLContext:
    """A context with the chain in `cert` and its `key`, all PEM.

    With `ca`, only callers with a certificate of it get in.

    Raises:
        OSError: a file cannot be read or is not what it should be (ssl.SSLError is one).
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
