"""``firstlight instance``: the embedded store, from YAML and JSON files."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from firstlight import conf
from firstlight.cli import add_config_arguments
from firstlight.cli.finding import find
from firstlight.instance import Instance
from firstlight.sources import InstanceGone, SourceUnavailable
from firstlight.sources.store import BadDocument, InstanceExists, Problem, Refused, Store
from firstlight.sources.store.documents import files, writing
from firstlight.sources.store.documents.document import json_schema

_EXAMPLES = """\
examples:
  firstlight instance add web.yaml db.json      all of them or, if anything is wrong, none
  firstlight instance list
  firstlight instance show web-1 > web.yaml     a name will do where only one has it
  firstlight instance update web-1 web.yaml     rebuild: the document takes the old one's place
  firstlight instance update web-1 --metadata role=db --remove-metadata old
  firstlight instance update web-1 --clear-password     its guest may post another one
  firstlight instance remove 7f3c1e9a-52d4-4b7e-9a31-0d5e6f8a1b2c
  firstlight instance schema > instance.schema.json

The store is [store] connection of the configuration. Exit codes: 0 done, 1 refused or unknown (the
reason is on standard error, and nothing was changed), 2 wrong usage.
"""
_FULL = argparse.RawDescriptionHelpFormatter
_TABLE_LIMIT = 1000  # rows; measuring more for a table that fits the screen takes seconds


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(
        name: str, run: Callable[[argparse.Namespace], None], summary: str, more: str = ""
    ) -> argparse.ArgumentParser:
        sub = actions.add_parser(
            name, help=summary, description=f"{summary}\n\n{more}", formatter_class=_FULL
        )
        sub.set_defaults(act=run, usage_error=sub.error)
        if name != "schema":
            add_config_arguments(sub)
        return sub

    add = action("add", _add, "store new instances", _ADD_MORE)
    add.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON; - is standard input")

    listing = action("list", _list, "list every instance")
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")

    show = action("show", _show, "print an instance's document")
    show.add_argument("instance", metavar="INSTANCE", help="UUID, or a name that only one has")
    form = show.add_mutually_exclusive_group()
    form.add_argument("--yaml", action="store_true", help="as YAML (the default)")
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument(
        "--password", action="store_true", help="only the password the guest posted, as it did"
    )

    update = action("update", _update, "rebuild an instance or change its metadata", _UPDATE_MORE)
    update.add_argument("instance", metavar="INSTANCE", help="UUID, or a name that only one has")
    update.add_argument("file", nargs="?", metavar="FILE", help="its new document")
    update.add_argument(
        "--metadata", action="append", default=[], type=_pair, metavar="KEY=VALUE", help="set"
    )
    update.add_argument(
        "--remove-metadata", action="append", default=[], metavar="KEY", help="take away"
    )

    password = update.add_mutually_exclusive_group()
    password.add_argument(
        "--clear-password", action="store_true", help="forget the password the guest posted"
    )
    password.add_argument(
        "--keep-password", action="store_true", help="with FILE: no rebuild, the password stays"
    )

    remove = action("remove", _remove, "forget instances; their EC2 ids are never given again")
    remove.add_argument("instances", nargs="+", metavar="INSTANCE", help="UUID or name")

    action("schema", _schema, "print the JSON Schema of instance documents")


_ADD_MORE = """\
A file holds one instance or several (a list, or YAML documents between lines of ---). If anything
is wrong in any file, nothing of any is stored, and each reason is printed with its line.
"""
_UPDATE_MORE = """\
FILE replaces the whole document; project, reservation and boot roles never change. A `revision` in
it, as `show` prints one, must still be the stored one. As that is a rebuild, the password that the
guest posted is forgotten, so that the new guest can post its own; --keep-password keeps it.
"""


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    try:
        args.act(args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Refused, InstanceGone, SourceUnavailable, conf.ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _store(args: argparse.Namespace) -> Iterator[Store]:
    settings = conf.load_typed("store", args.config)
    store = Store.open(settings.store.connection)
    try:
        yield store
    finally:
        store.close()


def _add(args: argparse.Namespace) -> None:
    loaded = files.load(args.files)
    with _store(args) as store:
        try:
            added = store.add_all([one.instance for one in loaded])
        except InstanceExists as error:
            known = [one for one in loaded if one.instance.uuid in error.uuids]
            raise BadDocument([_stored_already(one) for one in known]) from error
    for instance in added:
        print(f"added {instance.uuid} {instance.name}")


def _list(args: argparse.Namespace) -> None:
    with _store(args) as store:
        instances = store.list()
    if args.json:
        print(json.dumps([_summary(one) for one in instances], indent=2, ensure_ascii=False))
    elif not instances:
        print("The store is empty; `firstlight instance add FILE` fills it.", file=sys.stderr)
    elif sys.stdout.isatty() and len(instances) <= _TABLE_LIMIT:
        _print_table(instances)
    else:
        _print_columns(instances)


def _show(args: argparse.Namespace) -> None:
    with _store(args) as store:
        found = find(store, args.instance)
        condition = store.condition(found.instance.uuid)
    if condition is not None and not args.password:
        since = datetime.fromtimestamp(condition.since, UTC)
        # A comment, so that what is shown can be given back; JSON has none.
        out = sys.stderr if args.json else sys.stdout
        print(f"# {condition.state} since {since:%Y-%m-%dT%H:%M:%SZ}: {condition.reason}", file=out)
    if args.password:
        if not found.instance.password:
            raise Refused(f"the guest of {found.instance.uuid} has not posted a password")
        print(found.instance.password)
    elif args.json:
        print(writing.to_json(found.instance, found.revision))
    else:
        print(writing.to_yaml(found.instance, found.revision), end="")


def _update(args: argparse.Namespace) -> None:
    changes = bool(args.metadata or args.remove_metadata or (args.clear_password and not args.file))
    if changes == bool(args.file) or (args.keep_password and not args.file):
        args.usage_error(
            "give either FILE, or --metadata, --remove-metadata and --clear-password"
            " (--keep-password goes with FILE)"
        )
    with _store(args) as store:
        old = find(store, args.instance).instance
        if args.file:
            new = _rebuild(store, old.uuid, args.file, keep_password=args.keep_password)
        else:
            new = store.revise(
                old.uuid,
                lambda old: _with_metadata(old, args),
                keep_password=not args.clear_password,
            )
    print(f"updated {old.uuid}")
    if old.password and not new.password:
        print("its password is forgotten; its guest may post another one")


def _rebuild(store: Store, uuid: str, file: str, *, keep_password: bool) -> Instance:
    loaded = files.load([file])
    if len(loaded) != 1:
        raise Refused(f"{file} has {len(loaded)} instances; an update takes one")
    [new] = loaded
    if new.instance.uuid != uuid:
        reason = f"{new.instance.uuid} is not the instance to update, {uuid}"
        raise BadDocument([Problem(path=("uuid",), reason=reason, place=new.place())])
    return store.update(new.instance, revision=new.revision, keep_password=keep_password)


def _with_metadata(old: Instance, args: argparse.Namespace) -> Instance:
    unknown = [key for key in args.remove_metadata if key not in old.metadata]
    if unknown:
        raise Refused(f"instance {old.uuid} has no metadata {', '.join(unknown)}")
    kept = {key: one for key, one in old.metadata.items() if key not in args.remove_metadata}
    return msgspec.structs.replace(old, metadata=kept | dict(args.metadata))


def _remove(args: argparse.Namespace) -> None:
    with _store(args) as store:
        uuids = list(dict.fromkeys(find(store, one).instance.uuid for one in args.instances))
        store.remove(*uuids)
    for uuid in uuids:
        print(f"removed {uuid}")


def _schema(_args: argparse.Namespace) -> None:
    print(json.dumps(json_schema(), indent=2))


def _stored_already(one: files.Loaded) -> Problem:
    reason = f"{one.instance.uuid} is stored already; `firstlight instance update` changes it"
    return Problem(path=("uuid",), reason=reason, place=one.place())


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _addresses(instance: Instance) -> list[str]:
    networks = [one.network for one in instance.interfaces if one.network is not None]
    subnets = [subnet for network in networks for subnet in network.subnets]
    return [address.address for subnet in subnets for address in subnet.addresses]


def _ec2_id(instance: Instance) -> str:
    return "" if instance.ec2_ids is None else f"i-{instance.ec2_ids.instance:08x}"


def _summary(instance: Instance) -> dict[str, object]:
    return {
        "uuid": instance.uuid,
        "name": instance.name,
        "hostname": instance.hostname,
        "project_id": instance.project_id,
        "ec2_id": _ec2_id(instance),
        "addresses": _addresses(instance),
    }


_HEADINGS = ("UUID", "NAME", "PROJECT", "EC2 ID", "ADDRESSES")


def _cells(instance: Instance) -> tuple[str, ...]:
    addresses = ",".join(_addresses(instance))
    return instance.uuid, instance.name, instance.project_id, _ec2_id(instance), addresses


def _print_columns(instances: Sequence[Instance]) -> None:
    rows = [_HEADINGS, *map(_cells, instances)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def _print_table(instances: Sequence[Instance]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for heading in _HEADINGS:
        whole = heading in ("UUID", "EC2 ID")  # what is copied is never cut or folded
        table.add_column(heading, no_wrap=whole, min_width=36 if heading == "UUID" else None)
        table.columns[-1].overflow = "fold"
    for instance in instances:
        *cells, addresses = _cells(instance)
        table.add_row(*map(Text, cells), addresses.replace(",", "\n"))
    Console().print(table)
