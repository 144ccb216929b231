"""Bring the remaining host bus adapters online, for multipathing (IBM Z, DPM mode)."""

import argparse

from ..dpm.adapters import bring_online, finds_luns
from ..errors import DONE, FAILED
from ..machine import Machine


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; do nothing")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    machine: Machine = args.machine
    found = bring_online(machine, args.dry_run)
    for each in found:
        done = "would be brought online" if args.dry_run else "online now"
        print(f"{each.bus_id}: {each.error or (done if each.changed else 'online already')}")
    if not found:
        print("nothing to do: this machine has no host bus adapter for FCP")
    if not finds_luns(machine):
        print("the kernel does not look for LUNs: remove zfcp.allow_lun_scan=0 from its parameters")
    return FAILED if any(each.error for each in found) else DONE
