"""docs/dpm/install.md has every task that the HMC's user needs, as zhmcclient documents it."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import zhmcclient

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "dpm" / "install.md").read_text()
SOURCE = ROOT / "dpm" / "src" / "firstlight_dpm"

#: What each program asks of the HMC that is more than to look, and the modules that it consists of.
CHANGES = {
    "nova-compute": (
        [
            zhmcclient.PartitionManager.create,
            zhmcclient.Partition.start,
            zhmcclient.Partition.stop,
            zhmcclient.Partition.delete,
            zhmcclient.Partition.update_properties,
            zhmcclient.Partition.attach_storage_group,
            zhmcclient.Partition.detach_storage_group,
            zhmcclient.Partition.list_os_messages,
            zhmcclient.HbaManager.create,
            zhmcclient.NicManager.create,
            zhmcclient.Nic.delete,
            zhmcclient.StorageGroupManager.create,
            zhmcclient.StorageGroup.delete,
            zhmcclient.StorageGroup.add_candidate_adapter_ports,
            zhmcclient.StorageGroup.remove_candidate_adapter_ports,
            zhmcclient.StorageVolumeManager.create,
            zhmcclient.StorageVolume.indicate_fulfillment_fcp,
        ],
        "compute/**/*.py",
    ),
    "neutron-dpm-agent": ([], "network/agent/*.py"),
    "the provider `dpm_nics`": ([], "provider.py"),
}
#: Lists of what we meet need no task; lists of users and the like do.
NOT_THESE = {"list"}
#: The agent starts and stops threads.
THREADS = {"start", "stop"}
_TASK = re.compile(r'Task permission to the "([^"]+)" task')


def tasks_of(operation: object) -> set[str]:
    """What zhmcclient says that it needs."""
    return set(_TASK.findall(" ".join((inspect.getdoc(operation) or "").split())))


def column(program: str) -> dict[str, str]:
    """By task, what the page says of a program."""
    (header,) = re.findall(r"^\| \| (nova-compute.*) \|$", PAGE, re.MULTILINE)
    number = header.split(" | ").index(program) + 1
    rows = re.findall(r"^(\| \*(?:[A-Z]).*\|)$", PAGE, re.MULTILINE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0].split("*")[1]: row[number] for row in cells}


@pytest.mark.parametrize("program", CHANGES)
def test_the_page_names_each_task_and_no_more(program):
    """Who follows it is refused nothing, and may do nothing that is not needed."""
    operations, _ = CHANGES[program]
    assert all(map(tasks_of, operations))
    needed = set().union(*map(tasks_of, operations))
    assert {task for task, said in column(program).items() if said != "no"} == needed


def called(pattern: str) -> Iterator[str]:
    """Names of the methods that these modules call."""
    for path in SOURCE.glob(pattern):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr


@pytest.mark.parametrize("program", CHANGES)
def test_no_operation_is_forgotten(program):
    """Nothing is called that zhmcclient knows a task for, and the list above does not."""
    operations, pattern = CHANGES[program]
    names = set(called(pattern))
    known = {operation.__name__ for operation in operations}
    classes = [one for one in vars(zhmcclient).values() if inspect.isclass(one)]
    tasked = {
        name for one in classes for name, method in vars(one).items() if tasks_of(method)
    } - NOT_THESE
    assert known <= names
    assert names & tasked - known == (THREADS if program == "neutron-dpm-agent" else set())
