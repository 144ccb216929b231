"""OVN's southbound database: where it is, and the thread that keeps a copy of some of its rows.

The copy is python-ovs' own. ovsdbapp's connection, on top of it, would make the start wait for the
database.
"""

import logging
import os
import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from oslo_config import cfg

LOG = logging.getLogger(__name__)

DATABASE = "OVN_Southbound"
PAUSE = 1000  # milliseconds after a failure

# RFC 7047 §3.2, as python-ovs takes a schema.
TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}
TEXTS: dict[str, Any] = {"type": {"key": "string", "min": 0, "max": "unlimited"}}
MAP: dict[str, Any] = {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}


class BadDatabase(Exception):
    """The database cannot be used as it is configured; the message says what to change."""


def southbound_remote(conf: cfg.ConfigOpts) -> str:
    """``[ovn] ovn_sb_connection`` as ovsdb(7) writes it, several with commas; TLS is set up.

    Raises:
        BadDatabase: python-ovs is not installed, or the remote or a TLS file cannot be used.
    """
    try:
        from ovs.stream import Stream
    except ImportError as error:
        raise BadDatabase(
            f"OVN's southbound database is read by python-ovs ({error}):"
            " pip install 'firstlight[ovn]'"
        ) from error
    section = conf.ovn
    for remote in section.ovn_sb_connection:
        if not remote.startswith(("tcp:", "ssl:", "unix:")):
            raise BadDatabase(
                f"[ovn] ovn_sb_connection: {remote} is not like tcp:HOST:6642, ssl:HOST:6642 or"
                " unix:FILE"
            )
    if any(remote.startswith("ssl:") for remote in section.ovn_sb_connection):
        _use_tls(section, Stream)
    return ",".join(section.ovn_sb_connection)


def _use_tls(section: cfg.ConfigOpts.GroupAttr, stream: Any) -> None:
    """Have python-ovs use these files, which it opens anew for each connection."""
    for option, use in (
        ("ovn_sb_private_key", stream.ssl_set_private_key_file),
        ("ovn_sb_certificate", stream.ssl_set_certificate_file),
        ("ovn_sb_ca_cert", stream.ssl_set_ca_cert_file),
    ):
        if not os.access(section[option], os.R_OK):
            raise BadDatabase(
                f"[ovn] {option}: {section[option] or 'unset'} cannot be read, and ssl needs it"
            )
        use(section[option])
    _try(section)


def _try(section: cfg.ConfigOpts.GroupAttr) -> None:
    """What is wrong with a file is found at the start, not by a thread once a second."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(section.ovn_sb_ca_cert)
    except ssl.SSLError as error:
        raise BadDatabase(f"[ovn] ovn_sb_ca_cert: no certificate is in it: {error}") from error
    try:
        # Nobody is there to be asked for the password of a key.
        context.load_cert_chain(
            section.ovn_sb_certificate, section.ovn_sb_private_key, password=lambda: ""
        )
    except ssl.SSLError as error:
        raise BadDatabase(
            f"[ovn] ovn_sb_certificate, ovn_sb_private_key: no certificate with its key: {error}"
        ) from error


def session(replica: Any) -> int | None:
    """Which connection this is, if all its rows have arrived; None: they have not."""
    arrived = replica._session.is_connected() and replica.state == replica.IDL_S_MONITORING
    number: int = replica._session.get_seqno()
    return number if arrived else None


class ReplicaThread:
    """Keeps a replica up to date on a thread of its own, until :meth:`close`.

    Args:
        replica: an Idl of python-ovs; closed with this.
        turn: called when rows may have changed. It tells the poller that it is given when it wants
            to be called even if none does. If it raises, that is logged, and another connection
            is begun, since rows may be missing.
        failed: told of that.
        lock: held while the replica changes and during a turn.
    """

    def __init__(
        self,
        name: str,
        replica: Any,
        turn: Callable[[Any], None],
        *,
        failed: Callable[[], None] = lambda: None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._name = name
        self._replica = replica
        self._turn = turn
        self._failed = failed
        self._lock = lock or nullcontext()
        self._wake = os.eventfd(0)
        self.ended = False  # a long turn may look at it, and break off
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; the last thing it does is to close the replica."""
        self.ended = True
        os.eventfd_write(self._wake, 1)
        if self._thread.ident is not None:
            self._thread.join()
        os.close(self._wake)

    def _run(self) -> None:
        from ovs.poller import POLLIN, Poller

        while not self.ended:
            poller = Poller()
            with self._lock:
                self._step(poller)
            poller.fd_wait(self._wake, POLLIN)
            poller.block()
        self._replica.close()

    def _step(self, poller: Any) -> None:
        try:
            self._replica.run()
            self._turn(poller)
        except Exception:  # the thread's one catch-all: it goes on, with all rows anew
            LOG.exception("%s: following %s failed", self._name, DATABASE)
            self._failed()
            self._replica.force_reconnect()
            poller.timer_wait(PAUSE)
        else:
            self._replica.wait(poller)
