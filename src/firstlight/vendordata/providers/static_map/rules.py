"""Rules of a static map: which instances they match, and what those are told.

::

    - match:                        # every line must fit; without match: every instance
        project: [4f2c…, 9b11…]     # one of these ids
        image: 75a74383-…           # a single value needs no list
        hostname: [web-*, www?]     # one of these globs
        metadata: {role: web*}      # every key, its value a glob
        boot_roles: [gpu-user]      # any of these
      data: {proxy: "http://…"}     # merged over what earlier rules said; may hold cloud-config
      stop: true                    # no rule after this one, if it matches
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from firstlight.vendordata.cloud_init.merging import merged
from firstlight.vendordata.contract import Context

OneOrMore = str | tuple[str, ...]


class Match(Struct, frozen=True, forbid_unknown_fields=True):
    """What an instance must have; None: anything will do."""

    project: OneOrMore | None = None
    image: OneOrMore | None = None
    hostname: OneOrMore | None = None
    metadata: dict[str, OneOrMore] | None = None
    boot_roles: OneOrMore | None = None

    def fits(self, context: Context) -> bool:
        """Whether the instance has all of it."""
        return (
            _is_one_of(context.project_id, self.project)
            and _is_one_of(context.image_id, self.image)
            and _is_like(context.hostname, self.hostname)
            and self._has_metadata(context.metadata)
            and self._has_role(context.boot_roles)
        )

    def _has_metadata(self, metadata: Mapping[str, str]) -> bool:
        wanted = self.metadata or {}
        return all(key in metadata and _is_like(metadata[key], wanted[key]) for key in wanted)

    def _has_role(self, roles: Iterable[str]) -> bool:
        return self.boot_roles is None or not set(_many(self.boot_roles)).isdisjoint(roles)


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the list."""

    data: dict[str, Any]
    match: Match = Match()
    stop: bool = False


Rules = Sequence[Rule]


def answer(rules: Rules, context: Context) -> dict[str, Any]:
    """What `rules` say of the instance: their data merged in order, up to the first that stops."""
    said: dict[str, Any] = {}
    for rule in rules:
        if rule.match.fits(context):
            said = merged(said, rule.data)
            if rule.stop:
                break
    return said


def _is_one_of(value: str, wanted: OneOrMore | None) -> bool:
    return wanted is None or value in _many(wanted)


def _is_like(value: str, globs: OneOrMore | None) -> bool:
    return globs is None or any(fnmatchcase(value, glob) for glob in _many(globs))


def _many(wanted: OneOrMore) -> tuple[str, ...]:
    return (wanted,) if isinstance(wanted, str) else wanted
