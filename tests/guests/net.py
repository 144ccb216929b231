"""A guest and the host that serves it, as two network namespaces joined by one cable."""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from support.parts import absent, need

METADATA = "169.254.169.254"
METADATA_LINK_LOCAL = "fe80::a9fe:a9fe"
GUEST = "10.0.0.5"
GUEST_MACS = {"eth0": "fa:16:3e:00:00:05", "eth1": "fa:16:3e:00:01:05"}
_SERVICE = "10.0.0.2"  # what the guest's route to METADATA goes by, as a DHCP server would say
_CLONE_NEWNET = 0x40000000  # <sched.h>
_LIBC = ctypes.CDLL(None, use_errno=True)
_numbers = count()

P = ParamSpec("P")
T = TypeVar("T")


class Namespace(NamedTuple):
    """One network namespace, by its name."""

    name: str

    @property
    def path(self) -> Path:
        """The file that stands for it."""
        return Path("/run/netns", self.name)

    def command(self, *words: str | Path) -> list[str]:
        """This command, to be run inside; its process is the one that is started."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function` returns, or raises, in a thread whose sockets are of this namespace."""
        with ThreadPoolExecutor(1, initializer=self._enter) as inside:
            return inside.submit(function, *args, **kwargs).result()

    def _enter(self) -> None:
        with self.path.open() as file:
            if _LIBC.setns(file.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {self.name}")


class Net(NamedTuple):
    """`guest` has eth0 and eth1; `service`, at their other ends, METADATA and its link-local."""

    guest: Namespace
    service: Namespace


@contextmanager
def network() -> Iterator[Net]:
    """A new network until the end of the block; nothing outside its two namespaces changes.

    Without root, or where namespaces are forbidden, the test is skipped or fails, see
    :func:`parts.absent`.
    """
    need("ip")
    if os.geteuid() != 0:
        absent("network namespaces need root")
    prefix = f"firstlight-{os.getpid()}-{next(_numbers)}"
    with ExitStack() as stack:
        net = Net(*(_namespace(stack, f"{prefix}-{role}") for role in ("guest", "service")))
        _cable(net)
        yield net


def _namespace(stack: ExitStack, name: str) -> Namespace:
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        absent(f"this machine does not allow network namespaces: {made.stderr.strip()}")
    stack.callback(subprocess.run, ["ip", "netns", "delete", name], check=False)
    _ip(name, "link set lo up")
    return Namespace(name)


def _cable(net: Net) -> None:
    guest, service = net.guest.name, net.service.name
    for guest_end, service_end in (("eth0", "tap0"), ("eth1", "tap1")):
        mac = GUEST_MACS[guest_end]
        _ip(service, f"link add {service_end} type veth peer name {guest_end} netns {guest}")
        _ip(guest, f"link set {guest_end} address {mac}")  # before "up": its fe80:: follows from it
        _ip(service, f"link set {service_end} up")
        _ip(guest, f"link set {guest_end} up")
    _ip(service, f"address add {_SERVICE}/24 dev tap0")
    _ip(service, f"address add {METADATA}/32 dev tap0")
    _ip(service, f"address add {METADATA_LINK_LOCAL}/128 dev tap0 nodad")
    _ip(guest, f"address add {GUEST}/24 dev eth0")
    _ip(guest, f"route add {METADATA}/32 via {_SERVICE}")


def _ip(namespace: str, words: str) -> None:
    subprocess.run(["ip", "-n", namespace, *words.split()], check=True, capture_output=True)
