"""What ``firstlight demo`` does."""

import argparse
import errno
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from firstlight.demo import FIRST_PORT, road
from firstlight.demo.files import DemoPorts
from firstlight.httpd.process.generation import run as run_process
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import CannotListen, Tcp
from firstlight.instance import Instance
from firstlight.services.serving import STATUS


def run(args: argparse.Namespace) -> int:
    """Serve the demo until Ctrl-C."""
    with _directory(args.directory) as directory:
        try:
            ports = _ports(args.port)
            instance = road.prepare(directory, ports)
            addresses = {
                road.FRONT: Tcp("127.0.0.1", ports.front),
                road.METADATA: Tcp("127.0.0.1", ports.metadata),
                road.VENDORDATA: Tcp("127.0.0.1", ports.vendordata),
                STATUS: Tcp("127.0.0.1", ports.status),
            }

            @contextmanager
            def build(opened: Mapping[str, socket.socket]) -> Iterator[Server]:
                with road.road(directory, instance, opened) as server:
                    _tell(directory, ports, instance)
                    yield server

            run_process(build, addresses)
        except CannotListen as error:
            print(f"firstlight demo: {error}", file=sys.stderr)
            return 1
    print("\nThe demo has ended.")
    return 0


@contextmanager
def _directory(wanted: str | None) -> Iterator[Path]:
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="firstlight-demo-") as directory:
            yield Path(directory)
        return
    path = Path(wanted).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield path


def _ports(wanted: int | None) -> DemoPorts:
    """Four ports in a row, from `wanted`; without a wish, the usual ones if they are free."""
    first = FIRST_PORT if wanted is None else wanted
    usual = DemoPorts(*range(first, first + 4))
    if wanted is not None or all(map(_is_free, range(first, first + 4))):
        return usual
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    found = DemoPorts(*(probe.getsockname()[1] for probe in probes))
    for probe in probes:
        probe.close()
    return found


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True


def _command() -> str:
    """How the reader calls this program from where he stands."""
    return "firstlight" if shutil.which("firstlight") else sys.argv[0]


def _tell(directory: Path, ports: DemoPorts, instance: Instance) -> None:
    guest, firstlight = f"http://127.0.0.1:{ports.front}", _command()
    config = f"--config-file {directory}/metadata.conf"
    console = Console(highlight=False)
    console.print(
        Panel.fit(
            f"A server named [bold]{instance.name}[/] asks who it is:\n\n"
            f"  guest → front :{ports.front}             signs, as a metadata proxy does\n"
            f"        → metadata service :{ports.metadata}  reads store.sqlite\n"
            f"        → vendordata service :{ports.vendordata} applies static_map.yaml\n\n"
            f"Configuration, rules, logs: {directory}",
            title="firstlight demo",
            border_style="cyan",
        )
    )
    console.print("[bold]Ask as the guest would[/] (in another terminal):")
    for line in (
        f"curl {guest}/openstack/latest/meta_data.json",
        f"curl {guest}/openstack/latest/vendor_data2.json      # live, from the vendordata service",
        f"curl {guest}/latest/meta-data/                       # the EC2 tree",
    ):
        console.print(f"  {line}", soft_wrap=True)
    console.print("[bold]See what cloud-init makes of it[/]:")
    console.print(f"  {firstlight} show web-1 --as cloud-init {config}", soft_wrap=True)
    console.print("[bold]Change it, and ask again[/]:")
    for line in (
        f"{firstlight} instance update web-1 --metadata role=db {config}",
        f"$EDITOR {directory}/static_map.yaml",
    ):
        console.print(f"  {line}", soft_wrap=True)
    console.print("[bold]Look behind it[/]:")
    console.print(f"  curl http://127.0.0.1:{ports.status}/readyz", soft_wrap=True)
    console.print(f"  tail -f {directory}/access.log", soft_wrap=True)
    console.print("Ctrl-C ends it.")
