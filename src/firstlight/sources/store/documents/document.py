"""The document a person writes about an instance, and its JSON Schema."""

import base64
import binascii
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from firstlight.instance import Instance


class StoredDocument(
    Instance, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """An instance as it is written down: two fields more, and no password."""

    user_data_text: Annotated[
        str | None, Meta(description="user data as plain text, in place of user_data")
    ] = None
    revision: Annotated[
        int | None,
        Meta(description="as `firstlight instance show` printed it; update refuses another"),
    ] = None

    def instance(self) -> Instance:
        """What the document describes; user_data_text has become user_data."""
        fields = {name: getattr(self, name) for name in Instance.__struct_fields__}
        if self.user_data_text is not None:
            fields["user_data"] = base64.b64encode(self.user_data_text.encode()).decode()
        return Instance(**fields)


def described(instance: Instance, revision: int) -> dict[str, Any]:
    """The document of a stored instance, without its password."""
    bare = msgspec.structs.replace(instance, password="")
    document: dict[str, Any] = msgspec.to_builtins(bare)
    document["revision"] = revision
    return document


def readable(document: dict[str, Any]) -> dict[str, Any]:
    """The same document with user data as text, if it is text."""
    try:
        text = base64.b64decode(document["user_data"]).decode()
    except (KeyError, UnicodeDecodeError, binascii.Error):
        return document
    if not all(letter.isprintable() or letter in "\n\t" for letter in text):
        return document
    return {
        ("user_data_text" if key == "user_data" else key): text if key == "user_data" else value
        for key, value in document.items()
    }


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file: one document, or a list of them."""
    schema = msgspec.json.schema(StoredDocument)
    definitions = schema["$defs"]
    instance = definitions.pop(StoredDocument.__name__)
    del instance["properties"]["password"]
    instance["title"] = "Instance"
    definitions["Instance"] = instance
    one = {"$ref": "#/$defs/Instance"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Firstlight instance documents",
        "anyOf": [one, {"type": "array", "items": one, "minItems": 1}],
        "$defs": dict(sorted(definitions.items())),
    }
