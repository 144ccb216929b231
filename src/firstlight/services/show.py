"""What ``firstlight show`` does."""

import argparse
import logging
import os
import sys
from datetime import UTC, datetime

import yaml
from rich.console import Console
from rich.table import Table

from firstlight import conf as configuration
from firstlight.documents import AnswersNeeded, Document, Documents, seed, segments, walk
from firstlight.documents.cloud_init import VERSION, cloud_init_view
from firstlight.instance import Answer
from firstlight.metadata.deploy import read_settings
from firstlight.services.lookup import TROUBLE, ask, look_up
from firstlight.services.show_why import explain
from firstlight.vendordata_client import VendorData, vendor_data


class UnknownPath(Exception):
    """The instance has nothing at that path."""


def run(args: argparse.Namespace) -> int:
    """Show it; returns 1 if there is no such instance or path."""
    # What a person must know of the targets is printed; the service's log lines are not for here.
    logging.getLogger("firstlight").setLevel(logging.CRITICAL)
    try:
        conf = configuration.load_typed("metadata", args.config)
        if args.why:
            for line in explain(conf, args.instance):
                print(line)
            return 0
        vendordata = vendor_data(conf)
        instance = look_up(conf, args.instance)
        view = View(
            Documents(
                instance,
                read_settings(conf).documents,
                static=vendordata.static(),
                today=f"{datetime.now(UTC):%Y-%m-%d}",
            ),
            vendordata,
        )
        _show(view, args.path, args.reader)
    except (UnknownPath, *TROUBLE) as error:
        print(f"firstlight show: {error}", file=sys.stderr)
        return 1
    return 0


class View:
    """One instance's documents, with the targets asked at most once."""

    def __init__(self, documents: Documents, vendordata: VendorData) -> None:
        self.documents = documents
        self._vendordata = vendordata
        self._answers: dict[str, Answer] | None = None

    def get(self, path: tuple[str, ...]) -> Document | None:
        """The document at `path`."""
        try:
            return self.documents.get(path, self._answers)
        except AnswersNeeded:
            self._answers = ask(self._vendordata, self.documents.instance)
            return self.documents.get(path, self._answers)

    def read(self, name: str) -> bytes | None:
        """The body of a document of the version that cloud-init reads."""
        document = self.get(("openstack", VERSION, name))
        return None if document is None else document.body(_seed, None)


def _seed() -> bytes:
    return seed(os.urandom)


def _show(view: View, path: str | None, reader: str | None) -> None:
    if reader is not None:
        shown = cloud_init_view(view.read)
        print(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True), end="")
    elif path is None:
        _show_paths(view)
    else:
        document = view.get(segments(path))
        if document is None:
            raise UnknownPath(f"{view.documents.instance.uuid} has nothing at {path}")
        body = document.body(_seed, None)
        sys.stdout.buffer.write(body)
        if sys.stdout.isatty() and not body.endswith(b"\n"):
            print()  # the prompt belongs on a line of its own


def _show_paths(view: View) -> None:
    table = Table("path", "type", "bytes", box=None, header_style="bold")
    for path in walk(view.documents):
        document = view.get(path)
        if document is not None:
            size = len(document.body(_seed, None))
            kind = document.content_type.decode().partition(";")[0]
            table.add_row("/" + "/".join(path), kind, str(size))
    Console().print(table)
