"""``firstlight instance``: the embedded store, from YAML and JSON files."""

import argparse

from firstlight.cli.arguments import add_config_arguments

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


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, summary: str, more: str = "") -> argparse.ArgumentParser:
        sub = actions.add_parser(
            name, help=summary, description=f"{summary}\n\n{more}", formatter_class=_FULL
        )
        sub.set_defaults(usage_error=sub.error)
        if name != "schema":
            add_config_arguments(sub)
        return sub

    add = action("add", "store new instances", _ADD_MORE)
    add.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON; - is standard input")

    listing = action("list", "list every instance")
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")

    show = action("show", "print an instance's document")
    show.add_argument("instance", metavar="INSTANCE", help="UUID, or a name that only one has")
    form = show.add_mutually_exclusive_group()
    form.add_argument("--yaml", action="store_true", help="as YAML (the default)")
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument(
        "--password", action="store_true", help="only the password the guest posted, as it did"
    )

    update = action("update", "rebuild an instance or change its metadata", _UPDATE_MORE)
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

    remove = action("remove", "forget instances; their EC2 ids are never given again")
    remove.add_argument("instances", nargs="+", metavar="INSTANCE", help="UUID or name")

    action("schema", "print the JSON Schema of instance documents")


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
    from firstlight.services import instance

    return instance.run(args)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value
