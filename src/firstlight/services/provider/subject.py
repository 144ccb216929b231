"""The instance that a provider is tried for: from a file, the command line, or Nova."""

import argparse
from pathlib import Path
from typing import Any

from firstlight.vendordata.contract import Clients, Context, Need
from firstlight.vendordata.http.request_body import BadBody, read_context


class UnknownInstance(Exception):
    """There is no such instance, or not enough is known of it; what would do."""


def context_of(args: argparse.Namespace, clients: Clients) -> Context:
    """What the command line says of the instance.

    Raises:
        UnknownInstance: that is not enough, or no instance.
        ProviderFailed: Nova could not be asked.
        ConfigError: there are no credentials to ask it with.
    """
    if args.body is not None:
        return _from_file(args.body)
    if args.instance is None:
        raise UnknownInstance("which instance? Say --instance ID, or --body FILE")
    if args.project is None:
        return _from_nova(args.instance, clients)
    return Context(
        project_id=args.project,
        instance_id=args.instance,
        image_id=args.image,
        hostname=args.hostname,
        metadata=dict(_pair(text) for text in args.metadata),
    )


def _from_file(path: Path) -> Context:
    try:
        return read_context(path.read_bytes())
    except (BadBody, OSError) as error:
        raise UnknownInstance(f"{path}: {error}") from error


def _from_nova(instance: str, clients: Clients) -> Context:
    asked = Context(project_id="unknown", instance_id=instance)
    server = clients.cloud({Need.SERVER}).server(asked)
    if server is None:
        raise UnknownInstance(f"Nova knows no instance {instance}")
    image: Any = server.get("image") or {}
    return Context(
        project_id=server["tenant_id"],
        instance_id=instance,
        image_id=image.get("id", ""),
        user_data=server.get("OS-EXT-SRV-ATTR:user_data"),
        hostname=server.get("OS-EXT-SRV-ATTR:hostname") or "",
        metadata=server.get("metadata") or {},
    )


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise UnknownInstance(f"--metadata {text}: say KEY=VALUE")
    return key, value
