"""From oslo.service's options, which a pcss-vendor-metadata.ini may have, to our HTTP server."""

import socket
import ssl

from oslo_config import cfg

from firstlight.conf import ConfigError
from firstlight.httpd.limits import Limits
from firstlight.httpd.sockets.tls import server_context

# What "for ever" and "as long as it takes" are: a month, longer than any process is left alone.
_FOR_EVER = 30 * 24 * 3600.0

# Room for the request line and the other headers beside the longest.
_OTHERS = 16 * 1024


def limits(conf: cfg.ConfigOpts, *, answer_time: float, body: int) -> Limits:
    """The usual limits, with what `conf` says of headers, idle connections and the end."""
    usual = Limits()
    return Limits(
        answer_time=answer_time,
        body=body,
        head=max(usual.head, (conf.max_header_line or 0) + _OTHERS),
        idle_time=_seconds(conf.client_socket_timeout, usual.idle_time),
        drain_time=_seconds(conf.graceful_shutdown_timeout, usual.drain_time),
    )


def _seconds(value: int | None, usual: float) -> float:
    if value is None:
        return usual
    return value or _FOR_EVER


def request_threads(conf: cfg.ConfigOpts) -> int:
    """Requests that are answered at a time."""
    size: int = conf.wsgi_default_pool_size or conf.firstlight.request_threads
    return size


def keep_alive(listening: socket.socket, conf: cfg.ConfigOpts) -> None:
    """Have the kernel notice callers that died in silence, if `conf` says after how long."""
    if conf.tcp_keepidle and listening.family in (socket.AF_INET, socket.AF_INET6):
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, conf.tcp_keepidle)


def tls(conf: cfg.ConfigOpts) -> ssl.SSLContext | None:
    """What ``[ssl]`` asks for; None: plain HTTP.

    Raises:
        ConfigError: a file or the list of ciphers is missing or not what it should be.
    """
    ours = conf.ssl
    if not ours.cert_file and not ours.key_file:
        return None
    if not ours.cert_file or not ours.key_file:
        raise ConfigError("[ssl] cert_file and key_file go together; only one of them is set")
    try:
        context = server_context(ours.cert_file, ours.key_file, ours.ca_file)
        if ours.ciphers:
            context.set_ciphers(ours.ciphers)
    except OSError as error:
        raise ConfigError(f"[ssl] cert_file, key_file, ca_file, ciphers: {error}") from error
    if ours.version == "TLSv1_2":
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
