"""Make the SR-IOV virtual functions that vendor data wants, on Mellanox InfiniBand adapters.

What is right already is not touched. A port whose change fails is put back as it was; the others
are done all the same.
"""

import argparse
import json
from typing import Dict, List

from ..asking import add_options, sources
from ..errors import DONE, FAILED, Empty, GuestError, NotThere
from ..machine import Machine
from ..sriov import firmware
from ..sriov.change import NotRolledBack, change
from ..sriov.plan import plan, settings
from ..sriov.ports import Port, Skipped, ports, state
from ..sriov.report import (
    ABSENT,
    CHANGED,
    NOT_WANTED,
    RIGHT,
    WOULD_CHANGE,
    Outcome,
    as_json,
    as_text,
    outcome,
    steps,
)
from ..sriov.report import (
    FAILED as PORT_FAILED,
)
from ..sriov.wanted import PROVIDER, wanted


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; do nothing")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    parser.add_argument("--report", metavar="FILE", help="leave the report there as JSON, too")
    parser.add_argument(
        "--provider", default=PROVIDER, metavar="NAME", help="the vendordata target (%(default)s)"
    )
    parser.add_argument(
        "--enable-firmware",
        action="store_true",
        help="only enable SR-IOV in the adapters' firmware, for the next start",
    )
    parser.add_argument(
        "--vfs", type=_number, default=16, metavar="N", help="functions in firmware (%(default)s)"
    )
    add_options(parser, wait=120)


def _number(text: str) -> int:
    value = int(text)
    if not 1 <= value <= firmware.MOST:
        raise argparse.ArgumentTypeError(f"should be 1 to {firmware.MOST}")
    return value


def run(args: argparse.Namespace) -> int:
    """Do it."""
    machine: Machine = args.machine
    work = _firmware if args.enable_firmware else _functions
    if args.dry_run:  # anybody may look
        return work(args, machine)
    with machine.locked("sriov"):
        return work(args, machine)


def _firmware(args: argparse.Namespace, machine: Machine) -> int:
    for adapter in firmware.enable(machine, args.vfs, args.dry_run):
        done = "would be set" if args.dry_run else "set; restart the machine"
        print(f"{adapter.device}: {done if adapter.changed else 'right'}")
    return DONE


def _functions(args: argparse.Namespace, machine: Machine) -> int:
    try:
        answer = sources(args, machine).provider(args.provider)
        origin, wishes = answer.origin, wanted(answer.value)
    except (NotThere, Empty) as nothing:
        print(f"nothing to do: {nothing}")
        return DONE
    if not wishes:
        print(f"nothing to do: {args.provider} does not enable SR-IOV")
        return DONE
    found, skipped = ports(machine)
    outcomes = [_port(machine, port, wishes, args.dry_run) for port in found]
    here = {port.guid for port in found}
    outcomes += [Outcome("", "", guid, ABSENT, wishes[guid]) for guid in wishes if guid not in here]
    _tell(args, machine, origin, outcomes, skipped)
    return _code(outcomes)


def _port(machine: Machine, port: Port, wishes: Dict[str, List[str]], dry_run: bool) -> Outcome:
    if port.guid not in wishes:
        return outcome(port, NOT_WANTED)
    guids = wishes[port.guid]
    try:
        before = state(machine, port)
        todo = plan(before, settings(guids), port.driver)
        if not todo.is_empty and not dry_run:
            change(machine, port, before, todo)
    except GuestError as error:
        restored = not isinstance(error, NotRolledBack)
        return outcome(port, PORT_FAILED, wanted=guids, error=str(error), restored=restored)
    result = RIGHT if todo.is_empty else WOULD_CHANGE if dry_run else CHANGED
    return outcome(port, result, wanted=guids, steps=steps(todo))


def _tell(
    args: argparse.Namespace,
    machine: Machine,
    origin: str,
    outcomes: List[Outcome],
    skipped: List[Skipped],
) -> None:
    whole = json.dumps(as_json(origin, outcomes, skipped), indent=2, sort_keys=True)
    if args.report:
        machine.store(args.report, f"{whole}\n".encode())
    print(whole if args.json else as_text(origin, outcomes, skipped))


def _code(outcomes: List[Outcome]) -> int:
    """A wish that none of this machine's ports can fulfil is a failure; one of several is not.

    Vendor data speaks of all ports that the server may ever have had, and its hardware of those
    that are plugged in.
    """
    results = {each.result for each in outcomes}
    return FAILED if PORT_FAILED in results or not results - {ABSENT, NOT_WANTED} else DONE
