"""What ``firstlight instance list`` prints: a table, columns or JSON."""

from collections.abc import Sequence

from firstlight.instance import Instance

_HEADINGS = ("UUID", "NAME", "PROJECT", "EC2 ID", "ADDRESSES")
_TABLE_LIMIT = 1000  # rows; measuring more for a table that fits the screen takes seconds


def _addresses(instance: Instance) -> list[str]:
    networks = [one.network for one in instance.interfaces if one.network is not None]
    subnets = [subnet for network in networks for subnet in network.subnets]
    return [address.address for subnet in subnets for address in subnet.addresses]


def _ec2_id(instance: Instance) -> str:
    return "" if instance.ec2_ids is None else f"i-{instance.ec2_ids.instance:08x}"


def summary(instance: Instance) -> dict[str, object]:
    """One instance of ``firstlight instance list --json``."""
    return {
        "uuid": instance.uuid,
        "name": instance.name,
        "hostname": instance.hostname,
        "project_id": instance.project_id,
        "ec2_id": _ec2_id(instance),
        "addresses": _addresses(instance),
    }


def show(instances: Sequence[Instance], *, table: bool) -> None:
    """Print a row for each instance: for a terminal if `table` is true, else in plain columns."""
    if table and len(instances) <= _TABLE_LIMIT:
        _print_table(instances)
    else:
        _print_columns(instances)


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
