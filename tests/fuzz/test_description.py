"""Requests made from the published description, right ones and wrong ones."""

from importlib.resources import files

import pytest
import schemathesis
import yaml
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from conformance.asking import signed_headers
from conformance.processes import Service
from fuzz import canaries
from fuzz.counts import tries
from fuzz.raw import PATIENCE, STATUSES

_DESCRIPTION = yaml.safe_load(files("firstlight.metadata").joinpath("openapi.yaml").read_text())
_OPERATIONS = [
    found.ok() for found in schemathesis.openapi.from_dict(_DESCRIPTION).get_all_operations()
]
# What has no parameters cannot be asked wrongly.
_MODES = [
    (mode, operation)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    for operation in _OPERATIONS
    if mode is GenerationMode.POSITIVE or "{" in operation.path
]
load_all_checks()
_CHECKS = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
_ACCEPT = st.sampled_from(["text/plain", "text/html", "application/json", "*/*"])


def _name(value: GenerationMode | APIOperation) -> str:
    return value.value if isinstance(value, GenerationMode) else f"{value.method} {value.path}"


@pytest.mark.parametrize(("mode", "operation"), _MODES, ids=_name)
def test_described_requests(
    mode: GenerationMode, operation: APIOperation, signed_service: Service
) -> None:
    """Whatever is asked, the answer is a described one and has nothing of another server's."""
    base = f"http://127.0.0.1:{signed_service.port}"

    @tries(few=40, many=1000)
    @given(operation.as_strategy(mode), st.sampled_from(canaries.NAMES), _ACCEPT)
    def ask(case: schemathesis.Case, who: str, accept: str) -> None:
        identity = signed_headers(canaries.instance(who), canaries.SECRET)
        # Made-up identities are the business of test_requests.py.
        case.headers = {}
        response = case.call(base_url=base, headers=identity | {"Accept": accept}, timeout=PATIENCE)
        assert response.status_code in STATUSES - {500, 502, 504}
        assert canaries.marks_in(response.content) <= {who}
        case.validate_response(response, checks=_CHECKS)

    ask()
