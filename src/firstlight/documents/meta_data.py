"""``meta_data.json``: one dictionary, its keys in the order guests have always seen."""

from typing import Any

from firstlight.documents import versions
from firstlight.documents.additions import Additions
from firstlight.documents.devices import devices
from firstlight.documents.document import JSON, Document, Hole
from firstlight.documents.encoding import dumps
from firstlight.instance import Instance


def meta_data(instance: Instance, version: str, fqdn: str, added: Additions) -> Document:
    """The document of `version`; from Grizzly on it has a hole for the seed."""
    head = dumps(_before_seed(instance, fqdn, added))
    if version < versions.GRIZZLY:
        return Document(JSON, head)
    after = _after_seed(instance, version)
    tail = b'", ' + dumps(after)[1:] if after else b'"}'
    return Document(JSON, head[:-1] + b', "random_seed": "', Hole.SEED, tail)


def _before_seed(instance: Instance, fqdn: str, added: Additions) -> dict[str, Any]:
    fields: dict[str, Any] = {"uuid": instance.uuid}
    if instance.metadata:
        fields["meta"] = instance.metadata
    if added.files:
        first = 0 if instance.network_config is None else 1
        fields["files"] = [
            {"path": file.path, "content_path": f"/content/{number:04}"}
            for number, file in enumerate(added.files, first)
        ]
    fields |= added.metadata
    if instance.network_config is not None:
        fields["network_config"] = {"name": "network_config", "content_path": "/content/0000"}
    fields |= _keys(instance)
    fields["hostname"] = fqdn
    fields["name"] = instance.name
    fields["launch_index"] = instance.launch_index
    fields["availability_zone"] = instance.availability_zone
    return fields


def _after_seed(instance: Instance, version: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if version >= versions.LIBERTY:
        fields["project_id"] = instance.project_id
    if version >= versions.NEWTON_ONE:
        fields["devices"] = devices(instance.devices, version)
    if version >= versions.VICTORIA:
        fields["dedicated_cpus"] = sorted(instance.dedicated_cpus)
    return fields


def _keys(instance: Instance) -> dict[str, Any]:
    key = instance.keypair
    if key is None or key.public_key is None:
        return {}
    return {
        "public_keys": {key.name: key.public_key},
        "keys": [{"name": key.name, "type": key.type, "data": key.public_key}],
    }
