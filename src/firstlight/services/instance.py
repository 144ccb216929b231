"""What ``firstlight instance`` does: instances of the embedded store, from YAML and JSON files."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from firstlight import conf
from firstlight.instance import Instance
from firstlight.services import instance_list as listing
from firstlight.sources import InstanceGone, SourceUnavailable
from firstlight.sources.store import BadDocument, InstanceExists, Problem, Refused, Store
from firstlight.sources.store.documents import files, writing
from firstlight.sources.store.documents.document import json_schema
from firstlight.sources.store.finding import find


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    try:
        _ACTIONS[args.action](args)
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
        print(json.dumps([listing.summary(one) for one in instances], indent=2, ensure_ascii=False))
    elif not instances:
        print("The store is empty; `firstlight instance add FILE` fills it.", file=sys.stderr)
    else:
        listing.show(instances, table=sys.stdout.isatty())


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


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "add": _add,
    "list": _list,
    "show": _show,
    "update": _update,
    "remove": _remove,
    "schema": _schema,
}
