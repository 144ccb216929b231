"""The files and programs of a machine, below a directory that is usually ``/``."""

import fcntl
import os
import subprocess
import tempfile
from contextlib import contextmanager
from typing import Iterator, List, Optional, Sequence

from .errors import CommandFailed, GuestError

RUN = "/run/firstlight-guest"
_PLACES = ("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/bin")  # udev gives no PATH
_LONGEST = 1 << 20  # bytes of a file of the kernel
_PATIENCE = 120  # seconds for a program


class Machine:
    """Everything here takes absolute names and finds them below `root`."""

    def __init__(self, root: str = "/") -> None:
        self.root = os.path.abspath(root)

    def path(self, name: str) -> str:
        """Where `name` is."""
        return os.path.join(self.root, name.lstrip("/"))

    def exists(self, name: str) -> bool:
        """Whether there is such a file or directory; a link must lead somewhere."""
        return os.path.exists(self.path(name))

    def names(self, directory: str) -> List[str]:
        """What is in it, sorted; nothing if there is no such directory."""
        try:
            return sorted(os.listdir(self.path(directory)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str) -> str:
        """The text without blanks around it.

        Raises:
            OSError: there is no such file, or it cannot be read.
        """
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST).strip()

    def read_or(self, name: str, otherwise: str = "") -> str:
        """As :meth:`read`, with a value for what cannot be read."""
        try:
            return self.read(name)
        except OSError:
            return otherwise

    def write(self, name: str, text: str) -> None:
        """Give the kernel a value: one write, whose refusal is an error.

        Raises:
            GuestError: the file is missing or the kernel refuses.
        """
        data = text.encode()
        try:
            descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CLOEXEC)
            try:
                if os.write(descriptor, data) != len(data):
                    raise GuestError(f"the kernel took only a part of {text!r} for {name}")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise GuestError(f"cannot write {text!r} to {name}: {error.strerror}") from error

    def link(self, name: str) -> str:
        """The last part of where this link leads; empty if it is none."""
        try:
            return os.path.basename(os.readlink(self.path(name)))
        except OSError:
            return ""

    def store(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Make a file, whole or not at all, and the directories above it."""
        target = self.path(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        descriptor, beside = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".firstlight-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(beside, target)
        except BaseException:
            os.unlink(beside)
            raise

    def program(self, name: str) -> Optional[str]:
        """The path of a program, or None."""
        for place in _PLACES:
            path = self.path(os.path.join(place, name))
            if os.access(path, os.X_OK):
                return path
        return None

    def run(self, words: Sequence[str], given: str = "", patience: float = _PATIENCE) -> str:
        """What the program prints.

        Raises:
            CommandFailed: it is missing, fails or does not end in time; with its last words.
        """
        program = self.program(words[0])
        if program is None:
            raise CommandFailed(f"{words[0]} is not installed")
        try:
            done = subprocess.run(  # noqa: S603  no shell
                [program, *words[1:]],
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",  # early in a boot the locale is C
                timeout=patience,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CommandFailed(f"{words[0]} did not run: {error}") from error
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[-400:]
            raise CommandFailed(f"{' '.join(words)}: exit code {done.returncode}: {said}")
        return done.stdout

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Only one process at a time is in here, the shell tools included; others wait."""
        path = self.path(f"{RUN}/lock/{name}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
