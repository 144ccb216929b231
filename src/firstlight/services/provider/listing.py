"""The providers that are installed, and what each of them needs."""

import argparse
import inspect
import re
import sys

from rich.console import Console
from rich.table import Table

from firstlight import conf as configuration
from firstlight.conf import ConfigError
from firstlight.vendordata.contract import Provider
from firstlight.vendordata.loading import available, provider_classes


def run(args: argparse.Namespace) -> int:
    """Show them; returns 1 if one that is enabled cannot be used."""
    try:
        enabled = configuration.load_typed("vendordata", args.config).providers
    except ConfigError as error:
        print(f"firstlight provider list: {error}", file=sys.stderr)
        return 1
    table = Table("name", "enabled", "secret", "looks up", "says", box=None, header_style="bold")
    broken = {name: _add(table, name, enabled=name in enabled) for name in _all(enabled)}
    console = Console()
    console.print(table)
    for reason in filter(None, broken.values()):
        console.print(reason, style="red", highlight=False, markup=False)
    return 1 if any(broken[name] for name in enabled) else 0


def _all(enabled: list[str]) -> list[str]:
    """In alphabetical order, those that are enabled and missing as well."""
    return sorted({*available(), *enabled})


def _add(table: Table, name: str, *, enabled: bool) -> str | None:
    """A row; why the provider cannot be used, or None."""
    word = "yes" if enabled else "-"
    try:
        [kind] = provider_classes([name]).values()
    except ConfigError as error:
        table.add_row(name, word, "?", "?", "cannot be used, see below")
        return str(error)
    looks_up = ", ".join(sorted(kind.needs)) or "-"
    table.add_row(name, word, "yes" if kind.confidential else "-", looks_up, _says(kind))
    return None


def _says(kind: type[Provider]) -> str:
    """Its docstring up to the first full stop or semicolon."""
    words = " ".join((inspect.getdoc(kind) or "").split()).replace("``", "")
    return re.split(r"[.;](?:\s|$)", words)[0]
