"""What ``firstlight config-drive`` does."""

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
from firstlight.config_drive import (
    EPOCH_VARIABLE,
    Unwritable,
    contents,
    epoch_of,
    for_ironic,
    image,
    write,
)
from firstlight.documents import STATIC, Additions, Documents
from firstlight.instance import Answer
from firstlight.metadata.deploy import read_settings
from firstlight.services import input_files
from firstlight.services.lookup import TROUBLE, ask, look_up
from firstlight.vendordata_client import VendorData, vendor_data

_SEED_BYTES = 64


class DriveFailed(Exception):
    """The drive is not made; the message says why."""


def run(args: argparse.Namespace) -> int:
    """Make it; returns 1 if that is not possible."""
    # What a person must know is printed; the service's log lines are not for here.
    logging.getLogger("firstlight").setLevel(logging.CRITICAL)
    try:
        made = _make(args)
        if args.output != "-":
            print(made)
    except (DriveFailed, input_files.UnreadableFile, Unwritable, *TROUBLE) as error:
        print(f"firstlight config-drive: {error}", file=sys.stderr)
        return 1
    return 0


def _make(args: argparse.Namespace) -> str:
    conf = configuration.load_typed("metadata", args.config)
    form = args.format or conf.config_drive_format
    since = _now(os.environ) if args.epoch is None else args.epoch
    seed = input_files.seed(args.seed_file) if args.seed_file else os.urandom(_SEED_BYTES)
    added = input_files.additions(
        args.file, args.admin_pass_file, args.extra_metadata, args.bare_metal
    )
    files = _contents(conf, args.instance, added, seed)
    made = image(files, form, epoch=since)
    _put(for_ironic(made.chunks()) if args.ironic else made.chunks(), args)
    return f"{args.output}: {form}, {len(files)} files, {made.size} bytes"


def _contents(
    conf: cfg.ConfigOpts, name: str, added: Additions, seed: bytes
) -> Mapping[str, bytes]:
    settings = read_settings(conf).documents
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
        raise DriveFailed(fatal)
    return answers


def _put(chunks: Iterable[bytes], args: argparse.Namespace) -> None:
    if args.output == "-" and sys.stdout.isatty() and not args.ironic:
        raise DriveFailed("a terminal is no place for an image; redirect standard output")
    try:
        if args.output != "-":
            write(chunks, Path(args.output))
        else:
            # Not by sys.stdout, which would try again at the exit if its reader has gone.
            with open(sys.stdout.fileno(), "wb", closefd=False) as output:
                output.writelines(chunks)
    except OSError as error:
        raise DriveFailed(f"{args.output}: {error.strerror}") from error


def _now(environ: Mapping[str, str]) -> int:
    given = environ.get(EPOCH_VARIABLE)
    if given is None:
        return int(time.time())
    try:
        return epoch_of(given)
    except ValueError as error:
        raise DriveFailed(f"{EPOCH_VARIABLE}: {error}") from error
