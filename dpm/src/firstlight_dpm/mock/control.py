"""What a test or a person does to the mock from outside, under ``/mock/``, without a session."""

from typing import TYPE_CHECKING, Any

from firstlight_dpm.mock.faults import fault
from firstlight_dpm.mock.refusal import unless
from firstlight_dpm.mock.request import Operations, Request

if TYPE_CHECKING:
    from firstlight_dpm.mock.console import Console


def inject(hmc: "Console", request: Request) -> None:
    """``POST /mock/faults``: one fault more."""
    hmc.faults.add(fault(request.body))


def faults(hmc: "Console", request: Request) -> Any:
    """``GET /mock/faults``: those that are left."""
    return hmc.faults.all()


def clear(hmc: "Console", request: Request) -> None:
    """``DELETE /mock/faults``: nothing goes wrong any more."""
    hmc.faults.clear()


def expire(hmc: "Console", request: Request) -> None:
    """``DELETE /mock/sessions``: all sessions expire."""
    hmc.forget_sessions()


def change(hmc: "Console", request: Request) -> None:
    """``POST /mock/properties``: set properties that no operation sets, such as a status."""
    uri, properties = request.body.get("uri", ""), request.body.get("properties")
    unless(uri and isinstance(uri, str), 400, 5, "uri is missing: the resource's, as text")
    unless(isinstance(properties, dict), 400, 5, "properties is missing: an object")
    hmc.resource(uri).properties.update(properties)


def inventory(hmc: "Console", request: Request) -> Any:
    """``GET /mock/resources``: everything there is, by URI."""
    return {uri: dict(one.properties) for uri, one in hmc.mock.hmc.all_resources.items()}


def requests(hmc: "Console", request: Request) -> Any:
    """``GET /mock/requests``: what has been asked last, in order."""
    return hmc.requests


OPERATIONS: Operations = (
    ("POST", "/mock/faults", inject),
    ("GET", "/mock/faults", faults),
    ("DELETE", "/mock/faults", clear),
    ("DELETE", "/mock/sessions", expire),
    ("POST", "/mock/properties", change),
    ("GET", "/mock/resources", inventory),
    ("GET", "/mock/requests", requests),
)
