"""Reading a file of rules, whole or not at all."""

import re
from pathlib import Path

import msgspec

from firstlight import yaml_lines
from firstlight.vendordata.cloud_init import cloud_config
from firstlight.vendordata.providers.static_map.rules import Rule, Rules

# Where msgspec found the value: "… - at `$[0].match.project`". A key of metadata it does not name.
_WHERE = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<number>\d+)\]")


class RulesInvalid(Exception):
    """A file that cannot be used: its name, the line, and why."""


def read_rules(path: Path) -> Rules:
    """The rules in `path`.

    Raises:
        RulesInvalid: it cannot be read, or anything in it is wrong.
    """
    try:
        return parse_rules(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise RulesInvalid(f"{path}: cannot be read: {error}") from error


def parse_rules(text: str, name: str) -> Rules:
    """The rules in `text`; `name` is for messages.

    Raises:
        RulesInvalid: anything in it is wrong.
    """
    root = _tree(text, name)
    try:
        rules = msgspec.convert(root.plain(), tuple[Rule, ...])
    except msgspec.ValidationError as error:
        line = root.line_of(_path(str(error)))
        raise RulesInvalid(f"{name}:{line}: {_WHERE.sub('', str(error))}") from error
    for number, rule in enumerate(rules):
        if reason := cloud_config.check(rule.data.get(cloud_config.KEY, {})):
            line = root.line_of((number, "data", cloud_config.KEY))
            raise RulesInvalid(f"{name}:{line}: {reason}")
    return rules


def _tree(text: str, name: str) -> yaml_lines.Node:
    try:
        roots = list(yaml_lines.documents(text))
    except yaml_lines.Unclear as error:
        raise RulesInvalid(f"{name}:{error.line}: {error.reason}") from error
    if len(roots) != 1:
        raise RulesInvalid(
            f"{name}:1: one YAML document was expected, with a list of rules ([] for none), "
            f"but there are {len(roots)}"
        )
    return roots[0]


def _path(message: str) -> yaml_lines.Path:
    found = _WHERE.search(message)
    steps = _STEP.finditer(found["path"]) if found else ()
    return tuple(step["name"] or int(step["number"]) for step in steps)
