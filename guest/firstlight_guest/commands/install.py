"""Install units, rules and shell tools of one purpose into this machine, or an image (--root).

sriov            SR-IOV functions at each start
sriov-firmware   SR-IOV in firmware (DIB_MLNX_SRIOV_VFS_NUM in /etc/firstlight/guest.env)
dpm              network cards and adapters of a partition on IBM Z
password         a password for root, once
"""

import argparse

from ..errors import DONE
from ..installing import SETS, install
from ..machine import Machine


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("sets", nargs="+", choices=sorted(SETS), metavar="SET")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    machine: Machine = args.machine
    changed = [place for name in args.sets for place in install(machine, name)]
    for place in changed:
        print(f"changed {place}")
    if not changed:
        print("nothing to do: all is installed")
    return DONE
