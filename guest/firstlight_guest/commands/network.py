"""Bring up the network cards of a partition on IBM Z (DPM mode).

Early in the boot, from the kernel's command line. With --rest, when the first card is up, all that
the config drive or the vendor data of `dpm_nics` tells of.
"""

import argparse
from typing import List

from ..asking import add_options, sources
from ..dpm import cards
from ..dpm.grammar import Card, parse
from ..dpm.nics import ask, remember
from ..errors import DONE, FAILED, GuestError
from ..machine import Machine


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--rest", action="store_true", help="the second pass: ask drive and network"
    )
    add_options(parser, wait=120)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    machine: Machine = args.machine
    print("Start")
    found = _told(args, machine) if args.rest else parse(machine.read_or("/proc/cmdline"))
    if found or not args.rest:
        cards.prepare(machine)
    failed = [card for card in found if not _bring_up(machine, card, with_mac=args.rest)]
    print(f"Finished with rc '{FAILED if failed else DONE}'")
    return FAILED if failed else DONE


def _told(args: argparse.Namespace, machine: Machine) -> List[Card]:
    """Drive, network, command line, in this order; setmac is told before a card is touched."""
    told = ask(sources(args, machine))
    if told:
        remember(machine, told)
    named = {card.devno for card in told}
    given = [card for card in parse(machine.read_or("/proc/cmdline")) if card.devno not in named]
    return told + given


def _bring_up(machine: Machine, card: Card, with_mac: bool) -> bool:
    try:
        if cards.is_up(machine, card):
            print(f"Interface for {card.bus_id} already configured. Skipping.")
        else:
            print(f"Configuring dev_bus_id {card.bus_id} with port {card.port}")
            cards.bring_up(machine, card)
        if with_mac and card.mac and cards.set_mac(machine, card, cards.interface(machine, card)):
            print(f"{card.bus_id} has MAC {card.mac} now")
    except GuestError as error:
        print(f"{card.bus_id}: {error}")
        return False
    return True
