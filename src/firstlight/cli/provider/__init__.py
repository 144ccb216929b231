"""``firstlight provider``: what providers there are, a new one, one tried for an instance."""

import argparse
from importlib import import_module

# The modules beside this one, each with ``configure(parser)`` and ``run(args)``.
_ACTIONS = {
    "list": ("listing", "the providers that are installed, and what each of them needs"),
    "new": ("new", "a package with a provider to fill in, and its tests"),
    "run": ("trial", "ask one provider about one instance, and compare with what is live"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (module, summary) in _ACTIONS.items():
        sub = actions.add_parser(name, help=summary, description=summary)
        sub.formatter_class = argparse.RawDescriptionHelpFormatter
        _module(module).configure(sub)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    module, _ = _ACTIONS[args.action]
    return int(_module(module).run(args))


def _module(name: str):  # type: ignore[no-untyped-def]
    return import_module(f"firstlight.cli.provider.{name}")
