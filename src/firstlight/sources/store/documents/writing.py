"""Instances as documents a person reads and may change and give back."""

import json
from typing import Any

import yaml

from firstlight.instance import Instance
from firstlight.sources.store.documents.document import described, readable

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Writer(_Dumper):  # type: ignore[misc,valid-type]
    """YAML with text of several lines as people write it, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


def _text(writer: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)


def to_yaml(instance: Instance, revision: int) -> str:
    """The document as YAML, user data readable if it is text."""
    written: str = yaml.dump(
        readable(described(instance, revision)),
        Dumper=_Writer,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )
    return written


def to_json(instance: Instance, revision: int) -> str:
    """The document as JSON."""
    return json.dumps(described(instance, revision), indent=2, ensure_ascii=False)
