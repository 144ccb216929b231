"""Operators' settings that real Nova is asked under, and the targets of DynamicJSON they name."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.serving import Reply

STATIC = {
    "zone": {"größe": "50 €", "rack": 7},
    "cloud-init": "#cloud-config\npackages: [chrony]\n",
    "a": [1, 2.5, None, True, "\U0001f310"],
}

# What each target answers, and what a guest sees of it.
TARGETS: dict[str, tuple[Reply, Any]] = {
    "cloud-init": (Reply(200, b'"#cloud-config\\n{}\\n"'), "#cloud-config\n{}\n"),
    "inventory": (
        Reply(200, '{"z": {"größe": [1, 2.50, 1e3]}, "a": null}'.encode()),
        {"z": {"größe": [1, 2.5, 1000.0]}, "a": None},
    ),
    "list": (Reply(200, b'[1, "two", {}]'), [1, "two", {}]),
    "null": (Reply(200, b"null"), None),
    "created": (Reply(201, b'{"made": true}'), {"made": True}),
    "as-text": (Reply(200, b'{"type": "ignored"}', "text/html"), {"type": "ignored"}),
    "empty": (Reply(200, b""), {}),
    "no-content": (Reply(204, b""), {}),
    "not-json": (Reply(200, b"#cloud-config\n{}\n", "text/plain"), {}),
    "forbidden": (Reply(403, b'{"no": "access"}'), {}),
    "broken": (Reply(500, b'{"no": "luck"}'), {}),
    "at": (Reply(200, b'{"url": "with an @"}'), {"url": "with an @"}),
    "static": (Reply(200, b'{"a": "target"}'), {"a": "target"}),
}


@dataclass(frozen=True)
class Settings:
    """One way to configure the service.

    Attributes:
        providers: ``vendordata_providers``.
        targets: what guests see of each target, in order.
        also: raw entries of ``vendordata_dynamic_targets`` that no guest sees.
    """

    name: str
    dhcp_domain: str = "novalocal"
    providers: tuple[str, ...] = ("StaticJSON",)
    static: Any = None
    targets: dict[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    def api(self, directory: Path, url: str) -> dict[str, str]:
        """The options of ``[api]``; the static file is put into `directory`."""
        options = {
            "dhcp_domain": self.dhcp_domain,
            "vendordata_providers": ",".join(self.providers),
            "vendordata_dynamic_targets": ",".join(
                [f"{name}@{url}/target/{name}" for name in self.targets] + list(self.also)
            ),
        }
        if self.static is None:
            return options
        path = directory / f"{self.name}.static.json"
        path.write_text(json.dumps(self.static, ensure_ascii=False), encoding="utf-8")
        return {**options, "vendordata_jsonfile_path": str(path)}

    def to_json(self) -> dict[str, Any]:
        """As it stands in a golden file."""
        return {
            "dhcp_domain": self.dhcp_domain,
            "vendordata_providers": list(self.providers),
            "static": self.static,
            "targets": {
                name: {"status": TARGETS[name][0].status, "body": TARGETS[name][0].body.decode()}
                for name in self.targets
            },
            "values": self.targets,
        }


_VALUES = {name: value for name, (_, value) in TARGETS.items()}

DEFAULT = Settings("default")
DRESSED = Settings(
    "dressed",
    dhcp_domain="",
    providers=("StaticJSON", "DynamicJSON"),
    static=STATIC,
    targets=_VALUES,
    also=("http://nobody.invalid/has-no-name", "list@http://nobody.invalid/named-twice"),
)
DYNAMIC = Settings(
    "dynamic", dhcp_domain="example.org", providers=("DynamicJSON",), targets=_VALUES
)
REVERSED = Settings(
    "reversed", providers=("DynamicJSON", "StaticJSON"), static=STATIC, targets=_VALUES
)

OTHERS = (DRESSED, DYNAMIC, REVERSED)
