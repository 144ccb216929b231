"""``firstlight dpm hmc-mock``, which is also ``python -m firstlight_dpm.mock``."""

import argparse
import logging
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from firstlight_dpm.mock.machine import MACHINES
from firstlight_dpm.mock.server import Served, serve

_EXAMPLES = """\
examples:
  %(prog)s                                a z16 on 127.0.0.1:6794
  %(prog)s --machine z13 --directory hmc  its certificate is hmc/hmc.pem
  %(prog)s --listen 127.0.0.1:0           on a free port
  %(prog)s --job-seconds 30 --verbose     for those who wait, and log

It prints what nova.conf and neutron_dpm_agent.conf need to find it, and serves until Ctrl-C.
docs/dpm/hmc-mock.md says how to let something go wrong.
"""

_MISSING = (
    "The mock needs a certificate, and cryptography, which makes it, is not in this environment: "
    "pip install 'firstlight-dpm[mock]'"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--machine",
        choices=sorted(MACHINES),
        default="z16",
        help="the generation of the machine (default: %(default)s)",
    )
    parser.add_argument(
        "--listen",
        default="127.0.0.1:6794",
        metavar="ADDRESS:PORT",
        type=_address,
        help="where to answer; port 0 is a free one (default: %(default)s). Who can reach it can "
        "change it, and its password protects nothing",
    )
    parser.add_argument("--username", default="openstack", help="who may log on (%(default)s)")
    parser.add_argument(
        "--password",
        default="openstack",
        help="the password (%(default)s)",
    )
    parser.add_argument(
        "--job-seconds",
        type=_seconds,
        default=1.0,
        metavar="SECONDS",
        help="how long starting and stopping a partition takes (default: %(default)s)",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="where the certificate goes, hmc.pem, made anew (default: a temporary one)",
    )
    parser.add_argument("--verbose", action="store_true", help="log every request")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code, 2 if the extra is not installed."""
    if args.verbose:
        logging.basicConfig(level=logging.DEBUG, format="%(message)s", stream=sys.stderr)
    with _directory(args.directory) as directory, _until_ended(), ExitStack() as stack:
        try:
            served = stack.enter_context(_serving(args, directory))
        except OSError as error:
            print(f"The mock cannot listen on {_written(args.listen)}: {error}", file=sys.stderr)
            return 1
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "cryptography":
                raise
            print(_MISSING, file=sys.stderr)
            return 2
        print(announcement(served), flush=True)
        signal.pause()
    return 0


def _serving(args: argparse.Namespace, directory: Path) -> AbstractContextManager[Served]:
    host, port = args.listen
    return serve(
        args.machine,
        directory,
        host=host,
        port=port,
        username=args.username,
        password=args.password,
        job_seconds=args.job_seconds,
    )


def announcement(served: Served) -> str:
    """What a person wants to know, as configuration files to begin with."""
    machine = served.machine
    login = "\n".join(f"{name} = {value}" for name, value in served.options.items())
    storage = "\n".join(
        f"physical_storage_adapter_mappings = {port}" for port in machine.storage_ports
    )
    network = machine.network_ports[0]
    return f"""\
# An HMC with a {machine.name} answers on https://{served.host}:{served.port}; Ctrl-C ends it.
# into nova.conf
[dpm]
{login}
max_processors = 10
max_memory = 65536
{storage}

# into neutron_dpm_agent.conf
[dpm]
{login}
physical_network_adapter_mappings = provider:{network}"""


def _written(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT, such as 127.0.0.1:6794")
    return host, int(port)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("between 0 and 3600 seconds")
    return seconds


@contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="hmc-mock-") as directory:
        yield Path(directory)


@contextmanager
def _until_ended() -> Iterator[None]:
    """SIGINT and SIGTERM end the block, and nothing is left behind."""
    before = {number: signal.signal(number, _end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
