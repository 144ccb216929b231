"""``firstlight config-drive``: an instance's documents as a disk."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from oslo_config import cfg

from firstlight import conf as configuration
from firstlight.cli import add_config_arguments, handed_in
from firstlight.cli.lookup import TROUBLE, ask, look_up
from firstlight.documents import STATIC, Additions, Documents
from firstlight.drive import EPOCHS, FORMATS, Unwritable, contents, for_ironic, image, write
from firstlight.instance import Answer
from firstlight.metadata.deploy import read_behaviour
from firstlight.targets import VendorData, vendor_data

_EPILOG = """\
  firstlight config-drive web-1 -o disk.config
  firstlight config-drive web-1 -o disk.config --format vfat
  firstlight config-drive web-1 -o web-1.b64 --ironic --bare-metal node.json
  firstlight config-drive web-1 -o disk.config --file /etc/motd=motd --admin-pass-file secret

What the metadata service would answer, on a disk with the label config-2. Dynamic vendordata
targets are asked once. FILE appears whole or not at all, readable by its owner alone. The random
seed of each drive is fresh; with --seed-file and --epoch the same input gives the same bytes.
"""

_SEED_BYTES = 64
_EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"


class Failed(Exception):
    """The drive is not made; the message says why."""


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
        help=f"every time on the drive, since 1970 (default: {_EPOCH_VARIABLE}, or now)",
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
    # What a person must know is printed; the service's log lines are not for here.
    logging.getLogger("firstlight").setLevel(logging.CRITICAL)
    try:
        made = _make(args)
        if args.output != "-":
            print(made)
    except (Failed, handed_in.Unreadable, Unwritable, *TROUBLE) as error:
        print(f"firstlight config-drive: {error}", file=sys.stderr)
        return 1
    return 0


def _make(args: argparse.Namespace) -> str:
    conf = configuration.load("metadata", args.config_file, args.config_dir)
    form = args.format or conf.config_drive_format
    epoch = _now(os.environ) if args.epoch is None else args.epoch
    seed = handed_in.seed(args.seed_file) if args.seed_file else os.urandom(_SEED_BYTES)
    added = handed_in.additions(
        args.file, args.admin_pass_file, args.extra_metadata, args.bare_metal
    )
    files = _contents(conf, args.instance, added, seed)
    made = image(files, form, epoch=epoch)
    _put(for_ironic(made.chunks()) if args.ironic else made.chunks(), args)
    return f"{args.output}: {form}, {len(files)} files, {made.size} bytes"


def _contents(
    conf: cfg.ConfigOpts, name: str, added: Additions, seed: bytes
) -> Mapping[str, bytes]:
    settings = read_behaviour(conf).documents
    with closing(vendor_data(conf)) as vendordata:
        documents = Documents(
            look_up(conf, name),
            settings,
            # Nova reads the file, and fails for it, even if nothing shows it.
            static=vendordata.static() if STATIC in settings.vendordata_providers else {},
            today=f"{datetime.now(UTC):%Y-%m-%d}",
            added=added,
        )
        return contents(
            documents,
            lambda: _ask(vendordata, documents),
            seed=seed,
            skip=conf.api.config_drive_skip_versions.split(),
        )


def _ask(vendordata: VendorData, documents: Documents) -> Mapping[str, Answer]:
    answers = ask(vendordata, documents.instance)
    fatal = vendordata.fatal(answers)
    if fatal is not None:
        raise Failed(fatal)
    return answers


def _put(chunks: Iterable[bytes], args: argparse.Namespace) -> None:
    if args.output == "-" and sys.stdout.isatty() and not args.ironic:
        raise Failed("a terminal is no place for an image; redirect standard output")
    try:
        if args.output != "-":
            write(chunks, Path(args.output))
        else:
            # Not by sys.stdout, which would try again at the exit if its reader has gone.
            with open(sys.stdout.fileno(), "wb", closefd=False) as output:
                output.writelines(chunks)
    except OSError as error:
        raise Failed(f"{args.output}: {error.strerror}") from error


def _now(environ: Mapping[str, str]) -> int:
    given = environ.get(_EPOCH_VARIABLE)
    if given is None:
        return int(time.time())
    try:
        return _epoch(given)
    except argparse.ArgumentTypeError as error:
        raise Failed(f"{_EPOCH_VARIABLE}: {error}") from error


def _epoch(text: str) -> int:
    if not text.isdecimal() or int(text) not in EPOCHS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds below {EPOCHS.stop}")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    path, equals, file = text.partition("=")
    if not (path and equals and file):
        raise argparse.ArgumentTypeError(f"{text!r} is not PATH=FILE")
    return path, file
