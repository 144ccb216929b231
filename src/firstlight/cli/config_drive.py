"""``firstlight config-drive``: an instance's documents as a disk."""

import argparse

from firstlight.cli.arguments import add_config_arguments
from firstlight.config_drive import EPOCH_VARIABLE, FORMATS, epoch_of

_EPILOG = """\
  firstlight config-drive web-1 -o disk.config
  firstlight config-drive web-1 -o disk.config --format vfat
  firstlight config-drive web-1 -o web-1.b64 --ironic --bare-metal node.json
  firstlight config-drive web-1 -o disk.config --file /etc/motd=motd --admin-pass-file secret

What the metadata service would answer, on a disk with the label config-2. Dynamic vendordata
targets are asked once. FILE appears whole or not at all, readable by its owner alone. The random
seed of each drive is fresh; with --seed-file and --epoch the same input gives the same bytes.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "instance", metavar="INSTANCE", help="its UUID, or its name if only one has it"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the image; - is standard output"
    )
    parser.add_argument(
        "--format",
        choices=[*FORMATS],
        help="a disc, or a disk of 64 MiB (default: [DEFAULT] config_drive_format)",
    )
    parser.add_argument(
        "--ironic", action="store_true", help="gzip and base64, as Ironic takes a config drive"
    )
    _configure_additions(parser)
    parser.add_argument(
        "--epoch",
        type=_epoch,
        metavar="SECONDS",
        help=f"every time on the drive, since 1970 (default: {EPOCH_VARIABLE}, or now)",
    )
    parser.add_argument(
        "--seed-file",
        metavar="FILE",
        help="32 or more random bytes that the guest's random_seed is made of (default: new ones)",
    )
    add_config_arguments(parser)


def _configure_additions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--file",
        action="append",
        default=[],
        type=_pair,
        metavar="PATH=FILE",
        help="a file the guest is to write at PATH; may be given more than once",
    )
    parser.add_argument(
        "--admin-pass-file",
        metavar="FILE",
        help="admin_pass of meta_data.json; - is standard input",
    )
    parser.add_argument(
        "--extra-metadata", metavar="FILE", help="a JSON object of more keys of meta_data.json"
    )
    parser.add_argument(
        "--bare-metal",
        metavar="FILE",
        help="the node's `ports` and `portgroups` as Ironic's API has them: bonds become links",
    )


def run(args: argparse.Namespace) -> int:
    """Make it; returns 1 if that is not possible."""
    from firstlight.services import config_drive

    return config_drive.run(args)


def _epoch(text: str) -> int:
    try:
        return epoch_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _pair(text: str) -> tuple[str, str]:
    path, equals, file = text.partition("=")
    if not (path and equals and file):
        raise argparse.ArgumentTypeError(f"{text!r} is not PATH=FILE")
    return path, file
