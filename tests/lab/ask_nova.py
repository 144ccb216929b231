"""Runs inside the lab's own environment: what Nova's own code makes of its databases.

    python ask_nova.py NOVA_CONF QUESTION [ARGUMENT ...]

Questions, each answered with one line of JSON:

password UUID       what os-server-password shows
post UUID TEXT      store a password the way Nova's metadata service does
numbers UUID        the EC2 ids, allotted if there are none
keypairs UUID       the names of the keypair records
schemas KIND REVISION ...
                    REVISION.sqlite beside NOVA_CONF's database, KIND api or main, as it has it
delete UUID         delete the instance
"""

from __future__ import annotations  # nova.objects fills itself at register_all()

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nova import monkey_patch

monkey_patch.patch(backend="threading")

import nova.conf  # noqa: E402  after Nova's patching
from nova import config, context, objects  # noqa: E402  after Nova's patching
from nova.api.metadata import password  # noqa: E402  after Nova's patching
from nova.db import migration  # noqa: E402  after Nova's patching


def instance(uuid: str, *attributes: str) -> Any:
    """The instance, in its cell."""
    ctxt = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(ctxt, uuid)
    context.set_target_cell(ctxt, mapping.cell_mapping)
    return objects.Instance.get_by_uuid(ctxt, uuid, expected_attrs=[*attributes])


def show_password(uuid: str) -> str | None:
    """As the compute API reads it."""
    return password.extract_password(instance(uuid, "system_metadata"))


def post(uuid: str, text: str) -> None:
    """As the metadata service handles the guest's request."""
    body = text.encode()
    request = SimpleNamespace(method="POST", body=body, content_length=len(body))
    password.handle_password(request, SimpleNamespace(password=None, uuid=uuid))


def numbers(uuid: str) -> dict[str, str | None]:
    """The EC2 ids."""
    ids = instance(uuid, "ec2_ids").ec2_ids
    return {name: getattr(ids, name) for name in ids.fields}


def keypairs(uuid: str) -> list[str]:
    """Those meta_data.json shows."""
    return [record.name for record in instance(uuid, "keypairs").keypairs]


def schemas(kind: str, *revisions: str) -> None:
    """What the migrations up to each revision, oldest first, make of an empty database."""
    group = {"api": "api_database", "main": "database"}[kind]
    path = Path(nova.conf.CONF[group].connection.removeprefix("sqlite:///"))
    for revision in revisions:
        migration.db_sync(version=revision, database=kind)
        shutil.copy(path, path.with_name(f"{revision}.sqlite"))


def delete(uuid: str) -> None:
    """What the compute service does in the end."""
    instance(uuid).destroy()


QUESTIONS: dict[str, Callable[..., Any]] = {
    "password": show_password,
    "post": post,
    "numbers": numbers,
    "keypairs": keypairs,
    "schemas": schemas,
    "delete": delete,
}


def main() -> None:
    """Answer one question."""
    config.parse_args(["ask_nova", "--config-file", sys.argv[1]])
    objects.register_all()
    answer: Any = QUESTIONS[sys.argv[2]](*sys.argv[3:])
    print(json.dumps(answer))


main()
