"""Ports by Neutron's own RPC, as its metadata agent asks: a stock neutron.conf suffices.

Topic ``q-plugin``, no namespace, version 1.0, method ``get_ports(filters)``: the server's
MetadataRpcCallback, unchanged since Juno.
"""

import os
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from oslo_config import cfg

from firstlight.concurrency.bounded_threads import BoundedThreads, hang_up
from firstlight.relay.resolvers.listing import Filters, Listing, NotAsked, read_rows
from firstlight.relay.resolvers.ports import Port

NAME = "neutron-rpc"
_TOPIC = "q-plugin"
_EXCHANGE = "neutron"
_RABBIT = "oslo_messaging_rabbit"
_MOST = 100  # guests in one call: a message of some 10 KiB
# What the server makes its context of. Who may publish on the message bus may ask this already.
_ADMIN = {"user_id": None, "project_id": None, "is_admin": True, "roles": ["admin"]}


class BadTransport(Exception):
    """The message bus cannot be used as it is configured; the message says what to change."""


def open_neutron_rpc(
    conf: cfg.ConfigOpts, *, seconds: float, threads: int, router_seconds: float
) -> Listing:
    """The resolver, on ``[DEFAULT] transport_url`` and ``[oslo_messaging_*]`` of a neutron.conf.

    Nothing is connected before the first question.

    Args:
        seconds: within which a call has to be answered.
        threads: that may resolve at the same time.
        router_seconds: for which the networks of a router are believed.

    Raises:
        BadTransport: oslo.messaging is not installed, or the URL cannot be used.
    """
    calls = _Calls(open_transport(conf), seconds, threads)
    return Listing(NAME, calls.ports, most=_MOST, router_seconds=router_seconds, close=calls.close)


def open_transport(conf: cfg.ConfigOpts) -> Any:
    """oslo.messaging's RPC transport, on the exchange that Neutron uses.

    Raises:
        BadTransport: see :func:`open_neutron_rpc`.
    """
    messaging = _messaging()
    try:
        # It makes its options known to `conf`; the transport keeps the exchange that it finds.
        messaging.TransportURL.parse(conf)
        conf.set_default("control_exchange", _EXCHANGE)
        _register(conf)
        _name_queues(conf)
        transport = messaging.get_rpc_transport(conf)
    except messaging.DriverLoadFailure as error:
        raise BadTransport(
            f"[DEFAULT] transport_url names a transport that is not installed: {error}"
        ) from error
    except (messaging.MessagingException, ValueError):
        # Without the cause: its message quotes the URL, password and all.
        raise BadTransport(
            "[DEFAULT] transport_url is not like rabbit://user:password@host:5672/; it is usually"
            " in neutron.conf"
        ) from None
    _need_locks(conf)
    return transport


def _name_queues(conf: cfg.ConfigOpts) -> None:
    """The queue manager names queues after host and program; our programs on a host all have one
    name, and would take each other's replies."""
    from oslo_messaging import opts

    conf.register_opts(dict(opts.list_opts())[_RABBIT], group=_RABBIT)
    with suppress(cfg.NoSuchOptError):  # before oslo.messaging 14.4 there is no queue manager
        conf.set_default("processname", conf.prog.replace(" ", "-"), group=_RABBIT)


def _need_locks(conf: cfg.ConfigOpts) -> None:
    """The queue manager needs a directory for lock files, and fails at each question without.

    Raises:
        BadTransport: there is none that can be written to.
    """
    if not getattr(conf[_RABBIT], "use_queue_manager", False):
        return
    from oslo_concurrency import lockutils

    path = lockutils.get_lock_path(conf)
    needed = f"[{_RABBIT}] use_queue_manager needs [oslo_concurrency] lock_path"
    if not path:
        raise BadTransport(f"{needed}, which is not set: name a directory of this service's")
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadTransport(f"{needed}: {path} cannot be made: {error.strerror}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadTransport(f"{needed}: this user may not write to {path}")


def _register(conf: cfg.ConfigOpts) -> None:
    """Options that oslo.messaging (13 on; 18.3) registers on the process's global configuration,
    and then looks for on the one it was given. No public list of its has them."""
    for section, kind in (
        ("oslo_messaging_metrics", "_metrics"),
        ("oslo_messaging_tracing", "_tracing"),
    ):
        with suppress(ImportError, AttributeError):
            module = import_module(f"oslo_messaging.{kind}.client")
            conf.register_opts(getattr(module, section), group=section)


class _Calls:
    """Calls of get_ports; none is waited for longer than `seconds`.

    oslo.messaging's own limit counts from when it has a connection, and it waits for one as long
    as the broker is away; so the calls are made on threads that nobody has to wait for.
    """

    def __init__(self, transport: Any, seconds: float, threads: int) -> None:
        messaging = _messaging()
        self._error = messaging.MessagingException
        self._remote = messaging.RemoteError
        self._late = messaging.MessagingTimeout
        self._transport = transport
        self._seconds = seconds
        self._patience = BoundedThreads(NAME, threads=threads, seconds=seconds + 0.5)
        target = messaging.Target(topic=_TOPIC, version="1.0")
        self._client = messaging.get_rpc_client(transport, target, timeout=seconds, retry=0)

    def ports(self, filters: Filters) -> Sequence[Port]:
        """The ports that `filters` leave. Blocks.

        Raises:
            NotAsked: Neutron could not be asked, or failed.
        """
        try:
            rows = self._patience.wait_for(
                lambda: self._client.call(_ADMIN, "get_ports", filters=filters)
            )
            return read_rows(rows)
        except (TimeoutError, self._late) as error:
            raise NotAsked(
                f"no Neutron server answered on the message bus within {self._seconds:g} s: is"
                " neutron-rpc-server (or neutron-server) running, and transport_url its own?"
            ) from error
        except self._remote as error:
            raise NotAsked(f"Neutron failed to list ports: {error.exc_type}") from error
        except (self._error, OSError) as error:
            raise NotAsked(f"the message bus: {type(error).__name__}") from error

    def close(self) -> None:
        """Hang up."""
        hang_up(self._transport.cleanup)


def _messaging() -> Any:
    try:
        with warnings.catch_warnings():
            # oslo.service and futurist import it where it is installed; nothing here uses it.
            warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
            import oslo_messaging
    except ImportError as error:
        raise BadTransport(
            f"the resolver {NAME} needs oslo.messaging ({error}): pip install 'firstlight[relay]'"
        ) from error
    return oslo_messaging
