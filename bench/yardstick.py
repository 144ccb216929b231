"""How fast this machine is, so that figures of one can be compared with another's."""

import argparse
from pathlib import Path

from rich.console import Console

from bench import setting
from bench.load import middle
from bench.load import run as load


def run(directory: Path, args: argparse.Namespace) -> None:
    """Print what a kept connection's answer from nginx costs: the figure that docs name."""
    with setting.nginx(directory) as nginx:
        loads = [load(nginx, "/document", seconds=args.seconds) for _ in range(args.rounds)]
    cost = middle(loads).cpu * 1e6
    Console().print(f"this machine: nginx, keep-alive, a static file: {cost:.1f} us CPU/request")
