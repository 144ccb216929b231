"""Give the interface of one card (IBM Z, DPM mode) the MAC that its Neutron port has.

udev calls it with a device path, people with a device bus id. A MAC that is right already, as
firmware makes it from z14 on, is not touched.
"""

import argparse

from ..dpm import cards
from ..dpm.nics import known
from ..errors import DONE, GuestError
from ..machine import Machine


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "device", help="0.0.0001, or a path such as /devices/qeth/0.0.0001/net/enc1"
    )


def run(args: argparse.Namespace) -> int:
    """Do it."""
    machine: Machine = args.machine
    devno, name = cards.device(args.device)
    card = next((card for card in known(machine) if card.devno == devno), None)
    if card is None:
        raise GuestError(f"nothing is told of 0.0.{devno}, neither by the cloud nor at the start")
    if not card.mac:
        print(f"No MAC is told of {card.bus_id}; it keeps its own")
        return DONE
    name = name or cards.interface(machine, card, patience=0)
    changed = cards.set_mac(machine, card, name)
    print(f"{name} has MAC {card.mac} {'now' if changed else 'already'}")
    return DONE
