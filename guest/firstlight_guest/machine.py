"""The files and programs of a machine, below a directory that is usually ``/``."""

import fcntl
import os
import subprocess
from contextlib import contextmanager
from typing import ContextManager, Iterator, List, Optional, Sequence

from . import tree
from .errors import CommandFailed, GuestError
from .tree import Held

RUN = "/run/firstlight-guest"
_PLACES = ("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/bin")  # udev gives no PATH
_LONGEST = 1 << 20  # bytes of a file of the kernel
_PATIENCE = 120  # seconds for a program


class Machine:
    """Everything here takes absolute names and finds them below `root`.

    Links there are followed as if `root` were ``/``: see :mod:`.tree`.
    """

    def __init__(self, root: str = "/") -> None:
        self.root = os.path.abspath(root)

    def path(self, name: str) -> str:
        """Where `name` is, for a program; what is read or written here is not found by it."""
        return os.path.join(self.root, name.lstrip("/"))

    def real(self, name: str) -> str:
        """The same without links, from the root.

        Raises:
            OSError: a directory in it is missing.
        """
        with self.hold(name, follow=True) as held:
            return held.path

    def hold(
        self, name: str, *, follow: bool = False, create: bool = False
    ) -> ContextManager[Held]:
        """See :func:`.tree.hold`."""
        return tree.hold(self.root, name, follow=follow, create=create)

    def exists(self, name: str) -> bool:
        """Whether there is such a file or directory; a link must lead somewhere."""
        try:
            with self.hold(name, follow=True) as held:
                held.status()
        except OSError:
            return False
        return True

    def names(self, directory: str) -> List[str]:
        """What is in it, sorted; nothing if there is no such directory."""
        try:
            with self.hold(directory, follow=True) as held:
                return sorted(held.list())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str) -> str:
        """The text without blanks around it.

        Raises:
            OSError: there is no such file, or it cannot be read.
        """
        with self.hold(name, follow=True) as held:
            opened = held.open(os.O_RDONLY)
        with open(opened, encoding="utf-8", errors="replace") as file:
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
            with self.hold(name, follow=True) as held:
                descriptor = held.open(os.O_WRONLY)
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
            with self.hold(name) as held:
                return os.path.basename(held.link() or "")
        except OSError:
            return ""

    def store(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Make a file, whole or not at all, and the directories above it; a link is replaced."""
        with self.hold(name, create=True) as held:
            held.put(data, mode)

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
        with self.hold(f"{RUN}/lock/{name}", create=True) as held:
            opened = held.open(os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)
