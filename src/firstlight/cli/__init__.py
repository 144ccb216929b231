"""The ``firstlight`` command: one sub-command per thing a person does.

A sub-command is a module here with ``configure(parser)``, which declares its arguments, and
``run(args) -> exit code``, which imports what it does from :mod:`firstlight.services`. Modules
are imported when their command is used, and what needs an extra when it runs, so that ``--help``
is there without any. Nothing is imported here at first, because a service's command is a master
until it is told that it is to serve: see :mod:`firstlight.httpd.process`.
"""

import os
import sys
from collections.abc import Sequence

#: Those that serve until they are told to end.
SERVICES = frozenset({"metadata", "vendordata", "agent", "proxy", "broker", "ovnmeta"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 if the command's extra is not installed."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if argv is None and arguments and arguments[0] in SERVICES and not asks_for_help(arguments):
        from firstlight.httpd.process.channel import is_master

        if is_master(os.environ):
            from firstlight.httpd.process import master

            return master.run(os.environ)
    from firstlight.cli.parsing import run

    return run(arguments)


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether nothing is to be served: the answer comes at once."""
    return not {"-h", "--help"}.isdisjoint(arguments)
