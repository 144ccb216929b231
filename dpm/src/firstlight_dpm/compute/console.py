"""What the guest has said on the HMC's "Operating System Messages"."""

from collections.abc import Iterable, Mapping
from typing import Any

import zhmcclient

from firstlight_dpm.errors import attempting


def output(partition: zhmcclient.Partition) -> str:
    """The messages that the HMC still has, oldest first; raises HmcErrors."""
    with attempting(f"reading the messages of partition {partition.name}"):
        found = partition.list_os_messages()
    return text(found.get("os-messages", ()) if isinstance(found, Mapping) else found)


def text(messages: Iterable[Mapping[str, Any]]) -> str:
    """The messages in their order, each ending its line."""
    in_order = sorted(messages, key=lambda message: int(message.get("sequence-number", 0)))
    lines = (str(message.get("message-text", "")).rstrip("\n") for message in in_order)
    return "".join(f"{line}\n" for line in lines)
