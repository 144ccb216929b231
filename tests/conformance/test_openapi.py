"""The published description: valid, complete, and what the service does."""

import itertools
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from conformance.asking import Heard, ask, signed_headers
from conformance.conversations import read_all
from conformance.processes import Service
from firstlight.instance import Instance

DESCRIPTION = yaml.safe_load(files("firstlight.metadata").joinpath("openapi.yaml").read_text())
# Values for parameters that have no list of values.
EXAMPLES = {"number": ["0000", "0001"], "name": ["ami", "root", "swap", "ebs0", "ephemeral0"]}


def resolve(node: Any) -> Any:
    """The node itself, or what its $ref leads to."""
    while isinstance(node, dict) and "$ref" in node:
        target = DESCRIPTION
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations() -> list[tuple[str, str]]:
    """Each method and path template."""
    return [
        (method, template)
        for template, item in DESCRIPTION["paths"].items()
        for method in item
        if method != "parameters"
    ]


def targets(template: str) -> Iterator[str]:
    """The template with every combination of values that its parameters may have."""
    parameters = map(resolve, DESCRIPTION["paths"][template].get("parameters", []))
    values = {one["name"]: one["schema"].get("enum") or EXAMPLES[one["name"]] for one in parameters}
    for combination in itertools.product(*values.values()):
        yield template.format(**dict(zip(values, combination, strict=True)))


def check(heard: Heard, operation: dict[str, Any], what: str) -> None:
    """Status, type and body of a response are described."""
    assert str(heard.status) in operation["responses"], (what, heard)
    described = resolve(operation["responses"][str(heard.status)])["content"]
    kind = heard.headers["Content-Type"]
    assert kind in described, (what, kind)
    schema = described[kind]["schema"]
    if kind == "application/json":
        validate_json(json.loads(heard.body), schema)
    elif "contentSchema" in schema:
        validate_json(json.loads(heard.body), schema["contentSchema"])


def validate_json(value: Any, schema: Any) -> None:
    """The value is as its schema says, with references into the description."""
    whole = {"allOf": [schema], "components": DESCRIPTION["components"]}
    Draft202012Validator(whole).validate(value)


def test_the_description_is_valid() -> None:
    """It is OpenAPI, by a validator that is not ours."""
    validate(DESCRIPTION)


@pytest.mark.parametrize(("method", "template"), operations())
@pytest.mark.parametrize("who", ["full", "plain", "odd", "injected", "dhcp", "disks"])
def test_each_path_answers_as_it_says(
    service, instances: dict[str, Instance], who: str, method: str, template: str
) -> None:
    """Every path, with every value of its parameters, for servers of several kinds."""
    here: Service = service("firstlight", "signed")
    operation = DESCRIPTION["paths"][template][method]
    headers = signed_headers(instances[who], "s3")
    body = b"" if method == "post" else None
    for target in targets(template):
        for accept in ("text/plain", "application/json"):
            heard = ask(here.port, method.upper(), target, headers | {"Accept": accept}, body)
            check(heard, operation, f"{method} {target} as {who}")


@pytest.mark.parametrize("template", DESCRIPTION["paths"])
def test_each_path_is_there_for_somebody(
    service, instances: dict[str, Instance], template: str
) -> None:
    """No path is described that no server has."""
    here: Service = service("firstlight", "signed")
    statuses = {
        ask(here.port, "GET", target, signed_headers(instances[who], "s3")).status
        for target in targets(template)
        for who in ("full", "injected", "disks")
    }
    assert 200 in statuses


@pytest.mark.parametrize("template", [t for t in DESCRIPTION["paths"] if t != "/"])
def test_strangers_are_refused_as_it_says(service, template: str) -> None:
    """Without headers, and with a wrong signature."""
    here: Service = service("firstlight", "signed")
    operation = DESCRIPTION["paths"][template]["get"]
    forged = {"X-Instance-ID": "x", "X-Tenant-ID": "x", "X-Instance-ID-Signature": "x"}
    for headers, status in (({}, 400), (forged, 403)):
        heard = ask(here.port, "GET", next(targets(template)), headers)
        assert heard.status == status
        check(heard, operation, template)


def test_no_path_is_left_out() -> None:
    """What a conversation gets a 200 for has a place in the description."""
    patterns = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one)) for one in DESCRIPTION["paths"]]
    # Not described: another spelling of a path, and two accidents that are kept for those who
    # found them.
    spelt = re.compile(r"//|/\.|\?|%|^http|^/ec2|/version$|.+/$")
    for conversation in read_all():
        for step in conversation.steps:
            for _, target in step.asks:
                if step.status == 200 and not spelt.search(target):
                    assert any(re.fullmatch(one, target) for one in patterns), target
