"""Make an image for partitions on IBM Z (DPM mode), and export it.

firstlight-guest --root /mnt image prepare [--zero]
firstlight-guest image export /dev/sdb rhel.qcow2
"""

import argparse

from ..errors import DONE, GuestError
from ..imaging import STEPS, export, zero
from ..machine import Machine


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.required = True
    prepare = actions.add_parser(
        "prepare", help="tools, initramfs, cloud-init, cleaning; idempotent"
    )
    prepare.add_argument(
        "--this-machine",
        action="store_true",
        help="without --root: yes, the running system loses its keys, logs and identity",
    )
    prepare.add_argument("--zero", action="store_true", help="overwrite free space at the end")
    exporting = actions.add_parser("export", help="write a disk as qcow2")
    exporting.add_argument("device")
    exporting.add_argument("target")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    machine: Machine = args.machine
    if args.action == "export":
        export(machine, args.device, args.target)
        return DONE
    if machine.root == "/" and not args.this_machine:
        raise GuestError("this would clean the running system: say --root, or --this-machine")
    for step in STEPS:
        changed = step.do(machine)
        print(f"{step.name}: {', '.join(changed) or 'right'}", flush=True)
    if args.zero:
        zero(machine)
        print("free space: overwritten")
    return DONE
