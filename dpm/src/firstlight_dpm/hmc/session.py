"""Sessions with the HMC, one for each thread, because zhmcclient's are for one thread at a time."""

import logging
import os
import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field

import urllib3
import zhmcclient
from oslo_config import cfg

from firstlight_dpm.errors import Gone, attempting
from firstlight_dpm.hmc.jobs import PatientSession

LOG = logging.getLogger(__name__)


class BadLogin(ValueError):
    """``[dpm]`` does not say how to reach the HMC; the text says what to set."""


@dataclass(frozen=True)
class Login:
    """Where the HMC is, and who asks."""

    hosts: tuple[str, ...]
    username: str
    password: str = field(repr=False)
    cpc: str
    port: int = 6794
    #: False, True, or the file or directory of authorities.
    verify: bool | str = True
    read_timeout: int = 300
    operation_timeout: int = 600
    status_timeout: int = 300
    #: Seconds to wait for a connection, and how often any request is repeated that got none or no
    #: answer: zhmcclient's values, for callers that have no time and nobody to ask again.
    connect_timeout: int = 30
    retries: int = 3
    #: Seconds that one HMC has for each step of a log-off; what it leaves undone expires there.
    logoff_timeout: float = 2

    @classmethod
    def of(cls, conf: cfg.ConfigOpts) -> "Login":
        """What ``[dpm]`` says; raises BadLogin, naming every option to be set or changed."""
        dpm = conf.dpm
        needed = ("hmc", "hmc_username", "hmc_password", "cpc_object_id")
        missing = [name for name in needed if not dpm[name]]
        if missing:
            raise BadLogin(f"set {', '.join(missing)} in [dpm]: without it no HMC can be asked")
        if dpm.hmc_verify and dpm.hmc_ca_file:
            _check_readable(dpm.hmc_ca_file)
        return cls(
            hosts=tuple(dpm.hmc),
            username=dpm.hmc_username,
            password=dpm.hmc_password,
            cpc=dpm.cpc_object_id,
            port=dpm.hmc_port,
            verify=dpm.hmc_verify and (dpm.hmc_ca_file or True),
            read_timeout=dpm.hmc_read_timeout,
            operation_timeout=dpm.hmc_operation_timeout,
            status_timeout=dpm.hmc_status_timeout,
        )


class Hmc:
    """One machine's console. Threads may share this, but not what it hands out."""

    def __init__(self, login: Login) -> None:
        if login.verify is False:
            LOG.warning(
                "[dpm] hmc_verify is off: whoever is between this node and the HMC can read the "
                "password"
            )
        self.login = login
        self._own = threading.local()
        self._lock = threading.Lock()
        self._open: list[tuple[weakref.ref[threading.Thread], zhmcclient.Session]] = []

    def client(self) -> zhmcclient.Client:
        """This thread's client; logs on when it is first used for a request."""
        if not hasattr(self._own, "client"):
            self._own.client = zhmcclient.Client(self._session())
        return self._own.client

    def cpc(self) -> zhmcclient.Cpc:
        """The machine, for this thread, without asking the HMC; nothing of it is cached yet."""
        return self.client().cpcs.resource_object(f"/api/cpcs/{self.login.cpc}")

    def find_cpc(self) -> zhmcclient.Cpc:
        """The machine with all its properties; raises Gone if the HMC has none of that id."""
        cpc = self.cpc()
        try:
            with attempting(f"looking for the machine {self.login.cpc}"):
                cpc.pull_full_properties()
        except Gone as error:
            raise Gone(
                error.attempt,
                f"the HMC manages no such machine, but {self._machines()}; see [dpm] cpc_object_id",
            ) from error
        return cpc

    def _machines(self) -> str:
        with attempting("listing the machines"):
            listed = self.client().cpcs.list()
        known = (f"{cpc.name} ({cpc.uri.rpartition('/')[2]})" for cpc in listed)
        return ", ".join(sorted(known)) or "none that its user may see"

    def close(self) -> None:
        """Log off everywhere; what cannot be logged off expires on the HMC."""
        with self._lock:
            sessions, self._open = [session for _, session in self._open], []
            self._own = threading.local()
        _log_off(sessions, self.login.logoff_timeout)

    def _session(self) -> zhmcclient.Session:
        session = _session(self.login)
        with self._lock:
            ended = [pair for pair in self._open if not _alive(pair[0])]
            self._open = [pair for pair in self._open if pair not in ended]
            self._open.append((weakref.ref(threading.current_thread()), session))
        _log_off([session for _, session in ended], self.login.logoff_timeout)
        return session


def _check_readable(authorities: str) -> None:
    """zhmcclient would say it at the first request only, and as a connection that broke."""
    if not os.access(authorities, os.R_OK):
        raise BadLogin(
            f"[dpm] hmc_ca_file is {authorities}, which this service cannot read; set it to a PEM "
            "file, or a directory, that it can"
        )


def _session(login: Login) -> zhmcclient.Session:
    if login.verify is False:
        # Hmc has said it once; this would for each request.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return PatientSession(
        list(login.hosts),
        login.username,
        login.password,
        port=login.port,
        verify_cert=login.verify,
        retry_timeout_config=zhmcclient.RetryTimeoutConfig(
            connect_timeout=login.connect_timeout,
            connect_retries=login.retries,
            read_timeout=login.read_timeout,
            read_retries=login.retries,
            operation_timeout=login.operation_timeout,
            status_timeout=login.status_timeout,
        ),
    )


def _alive(thread: weakref.ref[threading.Thread]) -> bool:
    known = thread()
    return known is not None and known.is_alive()


def _log_off(sessions: Iterable[zhmcclient.Session], timeout: float) -> None:
    """Each as far as its HMC answers in time, which is asked no more once it has not.

    A service that ends, and a thread that begins, wait for this.
    """
    away: set[str] = set()
    for session in sessions:
        if session.session_id is None or session.actual_host in away:
            continue
        try:
            _delete(session, timeout)
        except zhmcclient.ConnectionError:
            away.add(session.actual_host)
        except zhmcclient.Error as error:
            LOG.debug("a session of HMC %s was not logged off: %s", session.actual_host, error)


def _delete(session: zhmcclient.Session, timeout: float) -> None:
    """By one try. The session's own log-off has as much time as any request, and tells nobody that
    its HMC is away.
    """
    session.session.close()
    once = zhmcclient.RetryTimeoutConfig(
        connect_timeout=timeout, connect_retries=0, read_timeout=timeout, read_retries=0
    )
    leaving = zhmcclient.Session(
        session.actual_host,
        session_id=session.session_id,
        port=session.port,
        verify_cert=session.verify_cert,
        retry_timeout_config=once,
    )
    leaving.delete("/api/sessions/this-session", logon_required=False, renew_session=False)
