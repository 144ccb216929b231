"""Runs inside the lab's own environment: what Nova's metadata service makes of Neutron's answers.

    python nova_asks_neutron.py NOVA_CONF < questions.json > answers.json

A question is ``["groups", INSTANCE]``, ``["address", ADDRESS]`` or ``["provider", ID, ADDRESS]``;
the answers are in the same order. It is Nova's own code that asks; nothing of Nova's database is
needed.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from nova import monkey_patch

monkey_patch.patch(backend="threading")

import webob.exc  # noqa: E402  after Nova's patching
from nova import config, context, exception  # noqa: E402  after Nova's patching
from nova.api.metadata import handler  # noqa: E402  after Nova's patching
from nova.network import neutron, security_group_api  # noqa: E402  after Nova's patching


class Instance:
    """All that Nova looks at here."""

    def __init__(self, uuid: str) -> None:
        self.uuid = uuid


def groups(instance: str) -> Any:
    """Names as ``security-groups`` has them."""
    admin = context.get_admin_context()
    found = security_group_api.get_instance_security_groups(admin, Instance(instance))
    return [group["name"] for group in found]


def address(value: str) -> Any:
    """The instance, or the name of what Nova raises."""
    try:
        found = neutron.API().get_fixed_ip_by_address(context.get_admin_context(), value)
    except exception.NovaException as error:
        return type(error).__name__
    return found["instance_uuid"]


def provider(identifier: str, value: str) -> Any:
    """Instance and project, or the sentence of Nova's 400."""
    try:
        instance, project = handler.MetadataRequestHandler()._get_instance_id_from_lb(
            identifier, value
        )
    except webob.exc.HTTPBadRequest as error:
        return error.explanation
    return [instance.decode(), project]


def main() -> None:
    """Answer every question from standard input."""
    config.parse_args(["nova_asks_neutron", "--config-file", sys.argv[1]])
    ask: dict[str, Callable[..., object]] = {
        "groups": groups,
        "address": address,
        "provider": provider,
    }
    json.dump([ask[kind](*rest) for kind, *rest in json.load(sys.stdin)], sys.stdout)


main()
