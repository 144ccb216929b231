"""The systemd journal, in its own protocol: oslo.log needs a library for it that must be compiled.

See https://systemd.io/JOURNAL_NATIVE_PROTOCOL/: a datagram of fields; where that is too large, a
sealed file in memory whose descriptor is sent instead.
"""

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Mapping

SOCKET = "/run/systemd/journal/socket"
_LEVELS = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class JournalHandler(logging.Handler):
    """Sends records to the journal, with the fields that oslo.log's own handler gives them.

    Args:
        identifier: what ``journalctl -t`` finds them by.
        facility: syslog's, as a number.
        path: of the journal's socket.
    """

    def __init__(self, identifier: str, facility: int, path: str = SOCKET) -> None:
        super().__init__()
        self._fixed = {"SYSLOG_IDENTIFIER": identifier, "SYSLOG_FACILITY": str(facility >> 3)}
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record. A journal that is away loses it, as it does for every program."""
        try:
            self._send(_encoded(self._fields(record)))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ECONNREFUSED):
                self.handleError(record)
        except Exception:  # noqa: BLE001  (as every handler of logging does)
            self.handleError(record)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()

    def _fields(self, record: logging.LogRecord) -> Mapping[str, str]:
        return {
            "MESSAGE": self.format(record),
            "PRIORITY": str(next((n for level, n in _LEVELS if record.levelno >= level), _DEBUG)),
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
            "LOGGER_NAME": record.name,
            "LOGGER_LEVEL": record.levelname,
            "THREAD_NAME": record.threadName or "",
            **self._fixed,
        }

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendto(data, self._path)
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                raise
            self._send_file(data)

    def _send_file(self, data: bytes) -> None:
        descriptor = os.memfd_create("journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(descriptor, "wb") as file:  # noqa: PTH123  (a descriptor has no path)
            file.write(data)
            file.flush()
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, file.fileno().to_bytes(4, "little"))]
            self._socket.sendmsg([b""], rights, 0, self._path)


def _encoded(fields: Mapping[str, str]) -> bytes:
    """Each ``NAME=value`` and a newline; where the value has a newline, its length goes before."""
    return b"".join(_field(name, text.encode(errors="replace")) for name, text in fields.items())


def _field(name: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return b"%s=%s\n" % (name.encode(), value)
    return b"%s\n%s%s\n" % (name.encode(), len(value).to_bytes(8, "little"), value)
